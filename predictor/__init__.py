"""Forecasts the air of the next three days from the stream of readings."""
