"""Trainings: asked for, checked, taken up, recorded, ended."""
