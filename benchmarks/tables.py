"""What models are worth when nothing but the target is given, beside scikit-learn's defaults.

    make bench-tables [BENCH='--splits 5 --hidden 32']

Tables that Python packages ship are uploaded as CSV files, as pandas writes them, and trained on with
``{dataset_id, targets, task}`` alone (or with one hidden layer, `--hidden`). Beside it scikit-learn's MLP with its
defaults and a linear model learn from the same rows, with gaps filled in and marked, categories one-hot and numbers
standardized. Each split holds a fifth of the rows back from all three. The score is the accuracy or R² on these.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import statsmodels.datasets as of_statsmodels
from palmerpenguins import load_penguins_raw
from sklearn import datasets as of_sklearn
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits
from vega_datasets import data as of_vega

from backprop_client import Backprop
from benchmarks.iteration_time import headline
from cli.own_client import client_of
from cli.stack import Stack

Task = Literal["classification", "regression"]

CLOSE = 0.02
"""Of the score. Who is no further behind than this is as good."""

FIRST_SECONDS = 2.0
TIMES_THE_MLP = 3.0
"""A job may take `FIRST_SECONDS`, or so many times as long as scikit-learn's MLP."""


@dataclass(frozen=True)
class Table:
    """A table that a package ships.

    Attributes:
        name: where it is from.
        load: gives it.
        target: the column to predict.
        task: what kind of target that is.
    """

    name: str
    load: Callable[[], pd.DataFrame]
    target: str
    task: Task


def _sklearn(name: str) -> Callable[[], pd.DataFrame]:
    return lambda: getattr(of_sklearn, f"load_{name}")(as_frame=True).frame


def _vega(name: str) -> Callable[[], pd.DataFrame]:
    return lambda: getattr(of_vega, name)()


def _statsmodels(name: str) -> Callable[[], pd.DataFrame]:
    return lambda: getattr(of_statsmodels, name).load_pandas().data


TABLES = (
    Table("sklearn iris", _sklearn("iris"), "target", "classification"),
    Table("sklearn wine", _sklearn("wine"), "target", "classification"),
    Table("sklearn breast_cancer", _sklearn("breast_cancer"), "target", "classification"),
    Table("sklearn digits", _sklearn("digits"), "target", "classification"),
    Table("sklearn diabetes", _sklearn("diabetes"), "target", "regression"),
    Table("palmerpenguins raw", load_penguins_raw, "Sex", "classification"),
    Table("palmerpenguins raw", load_penguins_raw, "Body Mass (g)", "regression"),
    Table("vega cars", _vega("cars"), "Miles_per_Gallon", "regression"),
    Table("vega cars", _vega("cars"), "Origin", "classification"),
    Table("vega seattle_weather", _vega("seattle_weather"), "weather", "classification"),
    Table("vega seattle_weather", _vega("seattle_weather"), "temp_max", "regression"),
    Table("vega barley", _vega("barley"), "yield", "regression"),
    Table("vega stocks", _vega("stocks"), "price", "regression"),
    Table("statsmodels anes96", _statsmodels("anes96"), "vote", "classification"),
    Table("statsmodels anes96", _statsmodels("anes96"), "income", "regression"),
    Table("statsmodels fair", _statsmodels("fair"), "affairs", "regression"),
    Table("statsmodels fair", _statsmodels("fair"), "rate_marriage", "classification"),
    Table("statsmodels ccard", _statsmodels("ccard"), "AVGEXP", "regression"),
    Table("statsmodels modechoice", _statsmodels("modechoice"), "choice", "classification"),
    Table("statsmodels randhie", _statsmodels("randhie"), "mdvis", "regression"),
    Table("statsmodels star98", _statsmodels("star98"), "NABOVE", "regression"),
    Table("statsmodels statecrime", _statsmodels("statecrime"), "murder", "regression"),
    Table("statsmodels heart", _statsmodels("heart"), "survival", "regression"),
    Table("statsmodels engel", _statsmodels("engel"), "foodexp", "regression"),
    Table("statsmodels strikes", _statsmodels("strikes"), "duration", "regression"),
    Table("statsmodels macrodata", _statsmodels("macrodata"), "unemp", "regression"),
    Table("statsmodels spector", _statsmodels("spector"), "GRADE", "classification"),
)


@dataclass(frozen=True)
class Result:
    """How the three did on a table: scores, and seconds of ours and of the MLP, medians over the splits."""

    ours: float
    mlp: float
    linear: float
    our_seconds: float
    mlp_seconds: float

    @property
    def ahead(self) -> float:
        """How far ahead of the better of the two."""
        return self.ours - max(self.mlp, self.linear)

    @property
    def in_time(self) -> bool:
        """Whether the job was as fast as it may be."""
        return self.our_seconds <= max(FIRST_SECONDS, TIMES_THE_MLP * self.mlp_seconds)


def measure(client: Backprop, table: Table, splits: int, job: dict[str, Any]) -> Result:
    """Train and ask all three on each split."""
    frame = table.load().dropna(subset=[table.target]).reset_index(drop=True)
    kind = StratifiedShuffleSplit if table.task == "classification" else ShuffleSplit
    ours, mlp, linear = [], [], []
    for training, rest in kind(splits, test_size=0.2, random_state=0).split(frame, frame[table.target].astype(str)):
        known, unseen = frame.iloc[training], frame.iloc[rest]
        ours.append(_of_the_service(client, table, known, unseen, job))
        models = (
            (MLPClassifier(random_state=0), LogisticRegression(max_iter=1000))
            if table.task == "classification"
            else (MLPRegressor(random_state=0), Ridge())
        )
        mlp.append(_of_sklearn(models[0], table, known, unseen))
        linear.append(_of_sklearn(models[1], table, known, unseen))
    return Result(
        statistics.fmean(score for score, _ in ours),
        statistics.fmean(score for score, _ in mlp),
        statistics.fmean(score for score, _ in linear),
        statistics.median(seconds for _, seconds in ours),
        statistics.median(seconds for _, seconds in mlp),
    )


def _of_the_service(
    client: Backprop, table: Table, known: pd.DataFrame, unseen: pd.DataFrame, job: dict[str, Any]
) -> tuple[float, float]:
    """Score, and seconds from the worker's beginning to the model."""
    dataset = client.datasets.create(known.to_csv(index=False).encode(), file_name="table.csv")
    body = {"dataset_id": dataset.id, "targets": [table.target], "task": table.task, **job}
    trained = client.job(client.jobs.create(body).id)
    model = trained.wait(progress=False)
    rows = unseen.drop(columns=[table.target]).to_json(orient="records", double_precision=15, date_format="iso")
    answer = client.models.predict(model.id, json.loads(rows), unknown_categories="as_missing")
    began, ended = trained.data.started_at, trained.data.finished_at
    assert began is not None
    assert ended is not None
    return _score(table, unseen[table.target], answer.predictions), (ended - began).total_seconds()


def _of_sklearn(model: object, table: Table, known: pd.DataFrame, unseen: pd.DataFrame) -> tuple[float, float]:
    """Score and seconds of a model of scikit-learn."""
    inputs = _with_moments_as_numbers(_useful(known.drop(columns=[table.target])))
    target = known[table.target].astype(str) if table.task == "classification" else known[table.target]
    pipeline: Pipeline = make_pipeline(
        make_column_transformer(
            (
                make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
                make_column_selector(dtype_include="number"),
            ),
            (
                make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
                make_column_selector(dtype_exclude="number"),
            ),
            sparse_threshold=0,
        ),
        model,
    )
    began = time.perf_counter()
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        pipeline.fit(inputs, target)
        seconds = time.perf_counter() - began
        predicted = pipeline.predict(_with_moments_as_numbers(unseen[inputs.columns]))
    return _score(table, unseen[table.target], list(predicted)), seconds


def _useful(inputs: pd.DataFrame) -> pd.DataFrame:
    """The columns that somebody would take who has looked at them: no keys, nothing empty or constant."""
    counts = inputs.nunique()
    words = inputs.select_dtypes(exclude="number").columns
    keys = [name for name in words if 2 * counts[name] > len(inputs)]
    return inputs.drop(columns=[*keys, *counts.index[counts < 2]])


def _with_moments_as_numbers(inputs: pd.DataFrame) -> pd.DataFrame:
    moments = inputs.select_dtypes(include="datetime").columns
    return inputs.astype(dict.fromkeys(moments, "int64"))


def _score(table: Table, actual: pd.Series, predicted: list[Any]) -> float:
    if table.task == "classification":
        same = [_as_text(one) == _as_text(other) for one, other in zip(actual, predicted, strict=True)]
        return sum(same) / len(same)
    y, h = np.asarray(actual, float), np.asarray(predicted, float)
    return float(1 - np.sum((y - h) ** 2) / np.sum((y - y.mean()) ** 2))


def _as_text(label: object) -> str:
    return str(label).removesuffix(".0")


def main() -> None:
    """Measure all tables, and print one row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--hidden", type=int, help="units of a hidden layer that is given; none if left out")
    arguments = parser.parse_args()
    job: dict[str, Any] = {}
    if arguments.hidden is not None:
        job["network"] = {"layers": [{"units": arguments.hidden}, {}]}
    print(headline(os.cpu_count() or 1))
    print("\n| table | target | rows × columns | ours | MLP | linear | ahead | seconds | MLP, s |", flush=True)
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    results = []
    with (
        tempfile.TemporaryDirectory(prefix="backprop-bench-") as folder,
        Stack("127.0.0.1", 0, Path(folder), 1, log_level="WARNING") as stack,
        client_of(stack.url, timeout=300) as client,
    ):
        for table in TABLES:
            result = measure(client, table, arguments.splits, job)
            results.append(result)
            rows, columns = table.load().shape
            print(
                f"| {table.name} | {table.target} | {rows:,} × {columns} | {result.ours:.3f} | {result.mlp:.3f} | "
                f"{result.linear:.3f} | {result.ahead:+.3f} | {result.our_seconds:.1f} | {result.mlp_seconds:.1f} |",
                flush=True,
            )
    close = sum(result.ahead >= -CLOSE for result in results)
    ahead = statistics.fmean(max(result.ahead, -1.0) for result in results)
    in_time = sum(result.in_time for result in results)
    print(f"\n{close} of {len(results)} within {CLOSE} of the better one; {ahead:+.3f} on average; {in_time} in time.")


if __name__ == "__main__":
    main()
