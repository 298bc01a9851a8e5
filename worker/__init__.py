"""The RQ side: take a job, run it, record it."""
