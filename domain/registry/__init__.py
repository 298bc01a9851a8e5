"""The registry: names that models are asked for by, their numbered versions, and aliases that move among these."""
