"""What the service means, a folder a thing, with the rules of each beside its rows. No HTTP, no RQ."""
