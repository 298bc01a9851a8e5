"""A model in the forms that other programs take: ONNX, an MLflow folder, safetensors with all facts, a model card."""
