"""Predictions for whole datasets: asked for, made part by part by a worker, kept, handed out."""
