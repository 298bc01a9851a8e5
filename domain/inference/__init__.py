"""The Open Inference Protocol without its door: bodies to tensors and back, and what models have been asked."""
