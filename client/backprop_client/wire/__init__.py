"""What client and service say to each other: requests, answers, error codes. Pydantic, and nothing else."""
