"""What ends a command with an explanation instead of a traceback."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot do what it was asked; the message says why and what to do."""
