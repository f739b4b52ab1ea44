"""What every server stands on: settings, server and channel factories, interceptors, database, cache, telemetry."""
