"""What trainings leave: predictions, features, gradient checks."""
