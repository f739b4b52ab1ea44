"""Clients of map services, which are asked for lines over HTTP."""
