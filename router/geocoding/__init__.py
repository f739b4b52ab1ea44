"""Geocoders of others, asked where the map's own names do not do."""
