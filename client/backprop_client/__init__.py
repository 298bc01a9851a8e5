"""The Python client of Backprop."""
