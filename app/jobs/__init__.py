"""Training jobs: asked for, watched, cancelled."""
