"""Jobs and models as HTML, for notebooks: without scripts and widgets, readable in light and dark themes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from backprop_client.progress.curve import Curve
from backprop_client.progress.watched import Watched
from backprop_client.progress.words import figures, headline
from backprop_client.wire.jobs import JobOut
from backprop_client.wire.models import ModelOut

_WIDTH, _HEIGHT = 480, 160
_LEFT, _BOTTOM = 64, 20
"""Pixels. So much of the picture is for the numbers at its axes."""

_COLOURS = ("#1f77b4", "#d9730d")
"""Of J and of J of the held-out rows; both can be told from white and from black, and apart without colours' help."""


def job_card(watched: Watched) -> str:
    """A job: what it is doing, its curve, and what came of it."""
    job = watched.job
    told = [f"<b>{escape(job.name or job.id)}</b> {escape(headline(watched))}", *map(escape, figures(watched))]
    parts = [f"<div>{' · '.join(told)}</div>"]
    if job.status in ("queued", "running"):
        parts.append(f'<progress value="{watched.share:.4f}" max="1" style="width:{_WIDTH}px"></progress>')
    if len(watched.curve.points) > 1:
        parts.append(_picture(watched.curve, watched.held_out))
    parts.extend(f"<div>{escape(each)}</div>" for each in _outcome(job))
    return f'<div style="font-family:sans-serif">{"".join(parts)}</div>'


def model_card(model: ModelOut) -> str:
    """A model: what it does, how large it is, and how good."""
    told = f"<b>{escape(model.name or model.id)}</b> {model.task}, {'-'.join(map(str, model.sizes))} units"
    metrics = _metric_rows(model.metrics)
    return f'<div style="font-family:sans-serif"><div>{told}</div>{_table(*metrics) if metrics else ""}</div>'


def _outcome(job: JobOut) -> list[str]:
    told = [f"Model: {job.model_id}"] if job.model_id else []
    told += [f"{job.error.code}: {job.error.message}"] if job.error else []
    return told + [note.message for note in job.notes]


def _metric_rows(metrics: Mapping[str, Any]) -> tuple[Sequence[str], Iterable[Sequence[str]]] | None:
    """The metrics that are a number, or have a mean or a number for each target, on the training and held-out rows."""
    splits = {split: _numbers(metrics[split]) for split in ("training", "held_out") if metrics.get(split)}
    names = dict.fromkeys(name for numbers in splits.values() for name in numbers)
    if not names:
        return None
    header = ["", *(split.replace("_", " ") for split in splits)]
    return header, [[name, *(numbers.get(name, "") for numbers in splits.values())] for name in names]


def _numbers(metrics: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping) and "mean" in value:
            value = value["mean"]
        of_targets = value.items() if isinstance(value, Mapping) else [("", value)]
        for target, number in of_targets:
            if isinstance(number, int | float) and not isinstance(number, bool):
                found[f"{name} {target}".rstrip()] = f"{number:.6g}"
    return found


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for name, *cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _picture(curve: Curve, held_out: Curve) -> str:
    """Both curves over the iterations; on a logarithmic scale where all is above 0."""
    lines = [each.points for each in (curve, held_out) if each.points]
    costs = [cost for points in lines for _, cost in points if math.isfinite(cost)]
    if not costs:
        return ""
    scale = math.log10 if min(costs) > 0 else float
    low, high = scale(min(costs)), scale(max(costs))
    first, last = curve.points[0][0], max(points[-1][0] for points in lines)

    def place(iteration: int, cost: float) -> str:
        right = (iteration - first) / max(1, last - first)
        up = (scale(cost) - low) / (high - low) if high > low else 0.5
        return f"{_LEFT + right * (_WIDTH - _LEFT - 4):.1f},{4 + (1 - up) * (_HEIGHT - _BOTTOM - 8):.1f}"

    drawn = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5"{dashes} points="'
        f'{" ".join(place(iteration, cost) for iteration, cost in points if math.isfinite(cost))}"/>'
        for points, colour, dashes in zip(lines, _COLOURS, ("", ' stroke-dasharray="5 3"'), strict=False)
    )
    title = "J(W,b) by iteration" + (", and dashed that of the held-out rows" if held_out.points else "")
    numbers = (
        _text(_LEFT - 4, 12, "end", f"{max(costs):.4g}"),
        _text(_LEFT - 4, _HEIGHT - _BOTTOM - 2, "end", f"{min(costs):.4g}"),
        _text(_LEFT, _HEIGHT - 4, "start", f"{first:,}"),
        _text(_WIDTH - 4, _HEIGHT - 4, "end", f"{last:,}"),
    )
    return (
        f'<svg role="img" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f"<title>{title}</title>{drawn}{''.join(numbers)}</svg>"
    )


def _text(x: float, y: float, anchor: str, words: str) -> str:
    return f'<text x="{x}" y="{y}" font-size="11" fill="currentColor" text-anchor="{anchor}">{words}</text>'
