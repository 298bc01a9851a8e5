"""The pages on which a person brings a table and asks for a training."""
