"""Trained models: described, downloaded, asked for predictions."""
