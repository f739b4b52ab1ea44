"""What the service keeps, a module a thing; the only place that knows SQL."""
