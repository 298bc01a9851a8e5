"""The same job from elsewhere: with curl, in Python, in a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any

WIDTH = 76
"""Characters of a line of Python. A page on a laptop shows so many."""


@dataclass(frozen=True)
class Commands:
    """Ways to ask for one job.

    Attributes:
        curl: a request in a shell.
        python: a program.
        shell: the project's own command.
    """

    curl: str
    python: str
    shell: str


def commands(job: Mapping[str, Any], address: str, *, has_key: bool) -> Commands:
    """How to ask for the job.

    Args:
        job: the body of the request.
        address: of the service, without a slash at its end.
        has_key: whether the service asks for a key.
    """
    return Commands(_curl(job, address, has_key), _python(job, address), _shell(job, address))


def _curl(job: Mapping[str, Any], address: str, has_key: bool) -> str:
    lines = [f"curl -X POST {shlex.quote(address + '/v1/jobs')}"]
    if has_key:
        lines.append('-H "Authorization: Bearer $BACKPROP_API_KEY"')
    lines.append("-H 'Content-Type: application/json'")
    lines.append(f"-d {shlex.quote(_body(job))}")
    return " \\\n  ".join(lines)


def _body(job: Mapping[str, Any]) -> str:
    """The job as JSON, a field a line."""
    fields = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in job.items())
    return f"{{\n{fields}\n}}"


def _python(job: Mapping[str, Any], address: str) -> str:
    arguments = [repr(job["dataset_id"])]
    hidden = _plain_units(job.get("network"))
    for name, value in job.items():
        if name == "targets" and value is not None and len(value) == 1:
            arguments.append(f"target={value[0]!r}")
        elif name == "network" and hidden is not None:
            arguments.append(f"hidden={hidden!r}")
        elif name != "dataset_id":
            arguments.append(f"{name}={_literal(name, value)}")
    inside = "".join(f"    {argument},\n" for argument in arguments)
    return (
        "from backprop_client import Backprop\n\n"
        f"client = Backprop(base_url={address!r})\n"
        f"job = client.train(\n{inside})\n"
        "model = job.wait()\n"
    )


def _literal(name: str, value: object) -> str:
    """The value as Python writes it; its lines stand below the argument's name."""
    before = 4 + len(name) + 1
    lines = pformat(value, width=WIDTH - before, sort_dicts=False).splitlines()
    return f"\n{' ' * before}".join(lines)


def _shell(job: Mapping[str, Any], address: str) -> str:
    words = ["backprop train", shlex.quote(job["dataset_id"])]
    lines = [" ".join(words)]
    left = {name: value for name, value in job.items() if name != "dataset_id"}
    lines += [f"--target {shlex.quote(target)}" for target in left.pop("targets", None) or []]
    hidden = _plain_units(left.get("network"))
    if hidden is not None:
        del left["network"]
        lines.append(f"--hidden {','.join(map(str, hidden)) or repr('')}")
    lines += [f"--set {shlex.quote(f'{name}={json.dumps(value, ensure_ascii=False)}')}" for name, value in left.items()]
    lines.append(f"--url {shlex.quote(address)}")
    return " \\\n  ".join(lines)


def _plain_units(network: Any) -> list[int] | None:  # noqa: ANN401  # whatever JSON holds
    """The units of hidden layers of which nothing else is said; None if the network says more."""
    if not isinstance(network, dict) or set(network) != {"layers"}:
        return None
    *hidden, output = network["layers"]
    if output or any(set(layer) != {"units"} or not isinstance(layer["units"], int) for layer in hidden):
        return None
    return [layer["units"] for layer in hidden]
