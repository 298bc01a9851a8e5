"""What the gate leaves in the state of a request."""

from __future__ import annotations

STATE = "access"
"""A request's state holds its `Access` under this name."""

IDENTIFY = "identify"
"""And under this one what finds out again what the request may do, for those that take long."""

SIGN_IN = "sign_in"
"""And under this one what its cookie holds; None if it has come without, or with a key besides."""
