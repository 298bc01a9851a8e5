"""Uploaded tables: read, kept, read again."""
