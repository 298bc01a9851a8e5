"""A model as the folder that `mlflow.pyfunc.load_model` reads, zipped. MLflow itself is not needed.

The signature is one of tensors. With one of columns MLflow would take no whole numbers where the model takes doubles,
and could give back no scores, of which each row has several.
"""

from __future__ import annotations

import io
import json
import platform
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from backprop.coding.coding import Coding
from domain.models.export.ports import Kind, Port, inputs_of, outputs_of

MLFLOW_VERSION = "3.0.0"
"""The oldest whose folders look like this. Newer ones read them; `.ci/mlflow` tries the newest."""

_MODEL = "model.onnx"
_REQUIREMENTS_FILE = "requirements.txt"
_ENVIRONMENT = "python_env.yaml"

REQUIREMENTS = "mlflow>=3\nonnx>=1.16\nonnxruntime>=1.18\npandas\n"
"""What reads the folder, as pip takes it: MLflow 3, and ONNX Runtime that knows the file's operators."""

_TENSOR_TYPES: Mapping[Kind, str] = {"double": "float64", "int64": "int64", "bool": "bool", "string": "str"}


def mlflow_folder(content: bytes, coding: Coding, facts: Mapping[str, str], created: datetime) -> bytes:
    """The folder's files as a zip, without a folder above them.

    Args:
        content: the model's ONNX file.
        coding: the model's.
        facts: what is told of it.
        created: when it was trained.
    """
    files = {
        "MLmodel": _json(_description(coding, facts, created)),
        _REQUIREMENTS_FILE: REQUIREMENTS,
        _ENVIRONMENT: _json(
            {
                "python": platform.python_version(),
                "build_dependencies": ["pip"],
                "dependencies": [f"-r {_REQUIREMENTS_FILE}"],
            }
        ),
    }
    folder = io.BytesIO()
    with zipfile.ZipFile(folder, "w") as packed:
        for name, text in files.items():
            packed.writestr(_entry(name, created), text.encode())
        packed.writestr(_entry(_MODEL, created), content)  # weights are hardly smaller when they are compressed
    return folder.getvalue()


def _entry(name: str, created: datetime) -> zipfile.ZipInfo:
    """A file of the folder; the same model makes the same bytes."""
    entry = zipfile.ZipInfo(name, created.timetuple()[:6])
    entry.external_attr = 0o644 << 16
    return entry


def _json(value: object) -> str:
    """A file that MLflow reads as YAML, which JSON is too. Nothing but ASCII: YAML's escapes are not quite JSON's."""
    return json.dumps(value, indent=2) + "\n"


def _description(coding: Coding, facts: Mapping[str, str], created: datetime) -> dict[str, Any]:
    return {
        "flavors": {
            "onnx": {
                "data": _MODEL,
                "onnx_version": "1.16",
                "providers": ["CPUExecutionProvider"],
                "code": None,
            },
            "python_function": {
                "loader_module": "mlflow.onnx",
                "data": _MODEL,
                "python_version": platform.python_version(),
                "env": {"virtualenv": _ENVIRONMENT},
            },
        },
        "mlflow_version": MLFLOW_VERSION,
        "model_uuid": facts["model_id"],
        "utc_time_created": created.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "signature": {
            "inputs": _tensors(inputs_of(coding.inputs)),
            "outputs": _tensors(outputs_of(coding)),
            "params": None,
        },
        # As text within a text, since names of columns may be any, and the inner one is read as JSON.
        "metadata": {"backprop": json.dumps(facts)},
    }


def _tensors(ports: Sequence[Port]) -> str:
    """A schema as MLflow stores it: JSON within a string."""
    return json.dumps(
        [
            {
                "name": port.name,
                "type": "tensor",
                "tensor-spec": {
                    "dtype": _TENSOR_TYPES[port.kind],
                    "shape": [-1] if port.width is None else [-1, port.width],
                },
            }
            for port in ports
        ]
    )
