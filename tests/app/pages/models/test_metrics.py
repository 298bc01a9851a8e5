"""What is shown of stored metrics, also of those from before there were so many."""

from __future__ import annotations

from typing import Any

from app.pages.models.metrics import MOST_LINES, measured, worth


def of_classes(classes: int, rows: int = 10) -> dict[str, Any]:
    curve = {"false_positive_rate": [0, 0.5, 1], "true_positive_rate": [0, 0.8, 1], "threshold": [None, 0.5, 0.1]}
    bins = {"score": [0.1, 0.9], "share": [0.2, 0.7], "count": [4, 6]}
    each: list[float | None] = [1 - place / 100 for place in range(classes)]
    each[0] = None
    return {
        "rows": rows,
        "classes": [True, False] if classes == 2 else list(range(classes)),
        "accuracy": 0.9,
        "recall": {"mean": 0.5, "by_class": each},
        "roc_auc": {"mean": 0.5, "by_class": each},
        "confusion_matrix": {"classes": [0, 1], "counts": [[9, 1], [0, 0]]},
        "roc_curve": {"by_class": [None, *[curve] * (classes - 1)]},
        "reliability_curve": {"by_class": [bins] * classes},
    }


def test_a_model_is_worth_what_it_does_on_rows_held_out() -> None:
    metrics = {"training": of_classes(2), "held_out": of_classes(2, 5), "trivial": {"held_out": {"accuracy": 0.6}}}
    found = worth(metrics)
    assert (found.metric, found.value, found.trivial, found.on, found.rows) == ("accuracy", 0.9, 0.6, "held_out", 5)
    alone = worth({"training": {"rows": 3, "r2_mean": 0.5}, "held_out": None})
    assert (alone.metric, alone.value, alone.trivial, alone.on) == ("r²", 0.5, None, "training")
    assert worth({"training": {"rows": 3, "rmse": {"a": 1}}, "held_out": None}).metric is None


def test_of_two_classes_one_curve_says_all() -> None:
    found = measured({"training": of_classes(2), "held_out": None, "trivial": {"prediction": True}})
    assert found.trivial_says == "true"
    assert found.roc is not None
    assert found.roc.legend == [(1, "false")]
    assert found.left_out == 0
    assert found.reliability is not None
    assert [(point.x, point.y, point.count) for point in found.reliability.points] == [(0.1, 0.2, 4), (0.9, 0.7, 6)]


def test_of_many_classes_those_are_drawn_that_are_told_apart_worst() -> None:
    found = measured({"training": of_classes(30), "held_out": None})
    assert found.roc is not None
    assert [label for _, label in found.roc.legend] == [str(place) for place in range(24, 30)]
    assert found.left_out == 30 - MOST_LINES


def test_cells_are_shaded_by_their_share_of_the_row() -> None:
    found = measured({"training": of_classes(3), "held_out": None})
    assert found.matrix is not None
    cells = [[(cell.count, cell.shade, cell.is_right) for cell in row] for _, row in found.matrix.rows]
    assert cells == [[(9, 5, True), (1, 1, False)], [(0, 0, False), (0, 0, True)]]


def test_the_table_has_every_single_number() -> None:
    metrics = {
        "training": {"rows": 4, "rmse": {"a": 1.0, "b": None}, "r2_mean": 0.5},
        "held_out": None,
        "trivial": {"training": {"rows": 4, "rmse": {"a": 2.0, "b": 3.0}, "r2_mean": 0}, "held_out": None},
    }
    rows = {row.name: (row.training, row.trivial_training, row.held_out) for row in measured(metrics).rows}
    assert rows == {"rmse of a": (1.0, 2.0, None), "rmse of b": (None, 3.0, None), "r2 mean": (0.5, 0, None)}


def test_metrics_from_before_there_were_curves_show_what_they_have() -> None:
    found = measured({"training": {"rows": 4, "accuracy": 1.0}, "held_out": None})
    assert (found.matrix, found.roc, found.reliability, found.classes) == (None, None, None, [])
    too_many = of_classes(2) | {"confusion_matrix": None, "roc_curve": None, "reliability_curve": None}
    assert measured({"training": too_many, "held_out": None}).roc is None
