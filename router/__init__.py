"""Finds the fastest, the shortest and the healthiest way, from the stream of forecasts."""
