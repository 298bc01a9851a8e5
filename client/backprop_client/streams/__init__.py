"""Jobs followed live. A connection that breaks is taken up again behind the last event that has come."""
