"""How requests get to the service, and answers back. One part builds and reads, two send."""
