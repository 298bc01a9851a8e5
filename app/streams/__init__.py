"""Streams of server-sent events: whoever follows jobs is told what happens to them, as it happens."""
