"""Is the process up; can it do its work."""
