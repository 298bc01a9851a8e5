"""Pages about registered models."""
