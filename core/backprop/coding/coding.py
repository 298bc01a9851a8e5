"""The whole coding of a table: inputs and targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backprop.coding.inputs import InputCoding
from backprop.coding.targets import TargetCoding, stored_targets


@dataclass(frozen=True)
class Coding:
    """All that stands between a table's columns and a network, both ways."""

    inputs: InputCoding
    targets: TargetCoding

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, from which `from_json` makes an equal object."""
        return {"inputs": self.inputs.to_json(), "targets": self.targets.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Coding:
        """What `to_json` gave, also after a trip through JSON text.

        Raises:
            ValueError: the kind of target coding is not known.
        """
        inputs = InputCoding.from_json(stored["inputs"])
        return cls(inputs, stored_targets(stored["targets"], inputs))
