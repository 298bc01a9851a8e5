"""The lessons: what each is about, its data and its training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from backprop_client.wire.datasets import UploadFields
from backprop_client.wire.specs import JobSpec
from domain.datasets.receiving import Upload
from domain.datasets.upload_files import UploadFiles
from domain.lessons import digits, points
from infra.errors import NotFound

TAG = "lesson"
"""What all datasets and jobs of lessons are tagged with."""


@dataclass(frozen=True)
class Lesson:
    """Data and a training that show something.

    Attributes:
        slug: in addresses.
        title: for people.
        about: what there is to see, in sentences.
        table: makes the data, as CSV.
        job: what is trained on it: the fields of a `JobSpec` but the dataset and the caption.
    """

    slug: str
    title: str
    about: str
    table: Callable[[], str]
    job: Mapping[str, Any]

    def fields(self) -> UploadFields:
        """What comes with its file."""
        return UploadFields(name=self.title, tags=(TAG,), format="csv")

    def received(self, files: UploadFiles) -> Upload:
        """Write its data to where an upload's would be."""
        content = self.table().encode()
        files.received.write(content)
        files.received.flush()
        return Upload(f"{self.slug}.csv", len(content), hashlib.sha256(content).hexdigest(), {})

    def spec(self, dataset_id: str) -> JobSpec:
        """Its training."""
        return JobSpec.model_validate({**self.job, "dataset_id": dataset_id, "name": self.title, "tags": (TAG,)})


def _sigmoid_network(*units: int) -> dict[str, Any]:
    hidden = [{"units": count, "activation": "sigmoid"} for count in units]
    return {"layers": [*hidden, {"activation": "sigmoid"}]}


LESSONS = (
    Lesson(
        slug="xor",
        title="XOR",
        about="Points are of the second kind where exactly one of their coordinates is positive. No straight line "
        "tells the kinds apart, so a network without a hidden layer fails. Four hidden units do it. Watch J: it rests "
        "on a plateau until the units have become different from each other.",
        table=lambda: points.table(points.xor(), "same", "different"),
        job={
            "targets": ["kind"],
            "network": _sigmoid_network(4),
            "training": {"preset": "tutorial", "iterations": 3000, "learning_rate": 3.0, "epsilon": 0.1},
        },
    ),
    Lesson(
        slug="circles",
        title="Two circles",
        about="A disc in a ring. Each hidden unit draws a straight line, and the output puts the lines together to a "
        "fence around the disc. Try it again with two units, and see why three are the fewest.",
        table=lambda: points.table(points.circles(), "disc", "ring"),
        job={
            "targets": ["kind"],
            "network": _sigmoid_network(6),
            "training": {"preset": "tutorial", "iterations": 4000, "learning_rate": 3.0, "epsilon": 0.5},
        },
    ),
    Lesson(
        slug="spiral",
        title="Spiral",
        about="Two arms wind around each other. Two hidden layers learn it with L-BFGS within some hundred iterations. "
        "Plain gradient descent takes many thousands: train it again so, and compare the two curves.",
        table=lambda: points.table(points.spiral(), "one arm", "other arm"),
        job={
            "targets": ["kind"],
            "network": {
                "layers": [
                    {"units": 16, "activation": "tanh"},
                    {"units": 16, "activation": "tanh"},
                    {"activation": "sigmoid"},
                ]
            },
            "training": {
                "preset": "tutorial",
                "iterations": 400,
                "optimizer": "lbfgs",
                "init": "uniform",
                "weight_decay": 1e-5,
            },
        },
    ),
    Lesson(
        slug="digits",
        title="Drawn digits",
        about="Pictures of 8 × 8 pixels, drawn with an unsteady hand. The network reads them, and a fifth of them is "
        "held out to see whether it has understood them or only learned them by heart.",
        table=lambda: digits.table(digits.drawn()),
        job={
            "targets": ["digit"],
            "network": _sigmoid_network(16),
            "holdout": 0.2,
            "training": {"preset": "tutorial", "iterations": 1500, "learning_rate": 2.0, "init": "uniform"},
        },
    ),
    Lesson(
        slug="autoencoder",
        title="Sparse autoencoder",
        about="The same pictures without their names. The network is to give back its 64 inputs through 25 hidden "
        "units that are mostly silent, so each unit has to find something that many digits have: a stroke.",
        table=lambda: digits.table(digits.drawn()),
        job={
            "task": "reconstruction",
            "inputs": [f"pixel_{row}_{column}" for row in range(digits.SIDE) for column in range(digits.SIDE)],
            "network": _sigmoid_network(25),
            "scaling": "min_max",
            "training": {
                "preset": "tutorial",
                "iterations": 400,
                "optimizer": "lbfgs",
                "corrections": 100,
                "init": "uniform",
                "weight_decay": 1e-4,
                "sparsity": 0.05,
                "sparsity_weight": 1.0,
            },
        },
    ),
)
"""In the order in which a class would take them."""


def lesson(slug: str) -> Lesson:
    """The lesson of that name in addresses. Raises NotFound: there is none (code ``no_such_route``)."""
    for each in LESSONS:
        if each.slug == slug:
            return each
    raise NotFound("no_such_route", f"There is no lesson {slug!r}.")
