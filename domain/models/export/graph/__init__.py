"""A model as an ONNX graph, from the columns of a table to the answers. It needs the extra `onnx`."""
