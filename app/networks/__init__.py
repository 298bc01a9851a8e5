"""Named network specs that jobs can refer to."""
