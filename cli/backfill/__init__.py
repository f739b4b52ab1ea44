"""`cleanair backfill`: years of history from files, into a running mesh."""
