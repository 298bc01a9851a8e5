"""Text in rows and columns: from its bytes to a table."""
