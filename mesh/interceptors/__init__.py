"""What happens around every call, one concern a file; `mesh.server` puts them in order."""
