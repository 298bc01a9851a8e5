"""Networks that are kept under an id."""
