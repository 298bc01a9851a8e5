"""Who may ask for what: projects, keys, repeated requests."""
