"""The dashboard: pages for people, rendered here. What moves in them is a few modules of our own."""
