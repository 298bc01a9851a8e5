"""What travels can be used by a program that has Pydantic and nothing of the service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from backprop import training
from backprop_client.wire import jobs

CLIENT = Path(__file__).parents[3] / "client"
MODULES = sorted(path.stem for path in (CLIENT / "backprop_client" / "wire").glob("[a-z]*.py"))

ALONE = """
import importlib, sys
from importlib.metadata import packages_distributions

PYDANTIC = {"pydantic", "pydantic_core", "typing_extensions", "annotated_types", "typing_inspection"}
OTHERS = packages_distributions().keys() - PYDANTIC - {"backprop_client", "pkg_resources", "_distutils_hack"}
OTHERS |= {"app", "backprop", "cli", "domain", "infra", "worker"}

class OnlyPydantic:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OTHERS:
            raise ModuleNotFoundError(f"{name} is not there", name=name)

sys.meta_path.insert(0, OnlyPydantic())
sys.path.insert(0, sys.argv[1])
importlib.import_module("backprop_client.wire." + sys.argv[2])
"""


@pytest.mark.parametrize("module", MODULES)
def test_each_module_imports_with_pydantic_alone(module: str) -> None:
    subprocess.run([sys.executable, "-I", "-c", ALONE, str(CLIENT), module], check=True)


def test_the_reasons_to_stop_are_those_of_the_core() -> None:
    assert get_args(jobs.StopReason) == get_args(training.StopReason)
