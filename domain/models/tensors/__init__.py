"""Tensors that a model takes and gives, as the Open Inference Protocol names and types them."""
