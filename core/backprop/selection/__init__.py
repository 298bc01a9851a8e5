"""Choosing between networks and trainings by how well they do on rows that they were not trained on."""
