"""The street graph: imported from OpenStreetMap, kept in one file, flat arrays throughout."""
