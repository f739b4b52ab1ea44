"""Places with names, found by what people type."""
