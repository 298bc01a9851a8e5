"""Trainings and models as a person works with them: `train`, `Job`, `Model`, and the same to be awaited."""
