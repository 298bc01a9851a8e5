"""The FastAPI service: one folder a resource."""
