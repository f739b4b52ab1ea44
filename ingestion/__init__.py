"""Collects what the networks publish, keeps it, and streams it on."""
