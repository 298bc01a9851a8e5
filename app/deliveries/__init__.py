"""Webhooks told: HTTP that goes out."""
