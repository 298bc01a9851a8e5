"""What is old and in nobody's way any more: by which rules it goes, which things these are, and removing them."""
