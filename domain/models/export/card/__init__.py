"""A model card: what a model was trained on, what it is worth, and what it should not be trusted with."""
