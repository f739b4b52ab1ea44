"""The `cleanair` command."""
