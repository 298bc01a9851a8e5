"""What is said of a job that is being followed."""

from __future__ import annotations

from backprop_client.progress.watched import Watched


def headline(watched: Watched) -> str:
    """What the job is doing, or how it has ended."""
    job = watched.job
    if job.status == "running":
        if watched.trials:
            return "choosing a network"
        return "being cancelled" if job.cancel_requested else "training"
    return job.status


def figures(watched: Watched) -> list[str]:
    """What is to be known of it besides, shortest forms first."""
    told: list[str] = []
    if watched.trials:
        told.append(f"{watched.trials[0]:,} of at most {watched.trials[1]:,} trials")
    if watched.iteration is not None:
        told.append(f"iteration {watched.iteration:,} of {watched.job.iterations:,}")
    if watched.cost is not None:
        told.append(f"J = {watched.cost:.4g}")
    if watched.held_out_cost is not None:
        told.append(f"held out {watched.held_out_cost:.4g}")
    if watched.job.status == "running" and watched.iteration is not None:
        if watched.rate:
            told.append(f"{watched.rate:,.0f} it/s" if watched.rate >= 10 else f"{watched.rate:.2g} it/s")
        if watched.seconds_left is not None:
            told.append(f"{duration(watched.seconds_left)} left")
    return told


def line(watched: Watched) -> str:
    """All of it in one line."""
    return ", ".join([f"{watched.job.id} {headline(watched)}", *figures(watched)])


def duration(seconds: float) -> str:
    """A time to wait, to be read at a glance: ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def how_to_come_back(job_id: str) -> str:
    """What somebody should know who stops following a job."""
    return f'The training goes on without you. To come back to it: client.job("{job_id}").wait()'
