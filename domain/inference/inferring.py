"""A request's body to its answer's, by a model that is in memory."""

from __future__ import annotations

from typing import NamedTuple

from domain.inference.requests import Limits, read_request
from domain.inference.responses import AnswerBody, Served, answer_body, chosen_outputs
from domain.inference.statistics import Stopwatch, Times
from domain.models.prediction import Predictor, RowPlace
from domain.models.tensors.answers import outputs_of
from domain.models.tensors.reading import read_tensors


class Inferred(NamedTuple):
    """An answer.

    Attributes:
        body: of it.
        rows: how many were predicted.
        times: where the time went.
    """

    body: AnswerBody
    rows: int
    times: Times


def infer(
    predictor: Predictor, served: Served, body: bytes, json_bytes: int | None, limits: Limits, queue: int
) -> Inferred:
    """Answer a request.

    Args:
        predictor: the model.
        served: how the answer names it.
        body: of the request.
        json_bytes: how many bytes of it are JSON; None if all are.
        limits: of what it may have.
        queue: nanoseconds that it has waited until now.

    Raises:
        NotJson, ValidationError, InvalidRequest, TooLarge: as `read_request`, `chosen_outputs`, `read_tensors` and
            `Predictor.predict_read` do; TooLarge also for an answer that would be too large (``answer_too_large``).
    """
    watch = Stopwatch()
    request = read_request(body, json_bytes, limits)
    chosen = chosen_outputs(request.said, outputs_of(predictor.model.coding.targets))
    rows = request.tensors[0].rows
    predictor.check_answer_size(rows)
    parameters = request.said.parameters
    read = read_tensors(
        predictor.reader, request.tensors, "refuse" if parameters is None else parameters.unknown_categories
    )
    compute_input = watch.lap()
    predictions = predictor.predict_read(read, _place)
    compute_infer = watch.lap()
    answer = answer_body(served, request.said, predictions, chosen)
    return Inferred(answer, rows, Times(queue, compute_input, compute_infer, watch.lap()))


def _place(row: int) -> RowPlace:
    return RowPlace(f"Row {row}", "/inputs")
