"""The Open Inference Protocol, version 2, over REST: what both sides say. Its names are not ours to choose."""
