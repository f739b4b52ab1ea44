"""What a command fails with: one sentence for a person."""

from __future__ import annotations


class CommandFailed(Exception):
    """The command cannot do what it was asked; the message says why and what to do. Exit code 2."""
