"""What all requests go through before a route sees them, and the server itself."""
