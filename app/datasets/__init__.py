"""Uploaded tables: taken in, typed, summarised, shown."""
