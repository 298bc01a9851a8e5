"""What a page shows to be copied asks for the job that its form asks for."""

from __future__ import annotations

import ast
import json
import subprocess
from typing import Any

import pytest
import typer.testing

from app.pages.new_job.commands import commands
from backprop_client.handles.asking import asked
from backprop_client.wire.specs import JobSpec
from cli.shell.saying import hidden_of, spec_of
from tests.support.pages import copied
from tests.support.service import Service, csv_text

DATASET = "ds_1"

JOBS: list[dict[str, Any]] = [
    {"targets": ["it's"]},
    {"targets": ["a", "-b"], "inputs": ["c", 'say "so"', "$HOME", "`ls`"], "task": "regression"},
    {"targets": ["y"], "network": {"layers": [{}]}},
    {"targets": ["y"], "network": {"layers": [{"units": 16}, {"units": 4}, {}]}},
    {"targets": ["y"], "network": {"layers": [{"units": 16, "activation": "tanh"}, {"activation": "softmax"}]}},
    {"task": "reconstruction", "network": {"layers": [{"units": 3}, {"activation": "sigmoid"}]}},
    {"targets": None, "task": "reconstruction", "network": {"layers": [{"units": 3.0}, {}]}},
    {"targets": ["y"], "network": None, "network_id": "net_1"},
    {
        "name": "1",
        "tags": ["x", "y"],
        "note": "two\nlines, and an é\\",
        "targets": ["y"],
        "holdout": 0.25,
        "gradient_check": True,
        "weights": None,
        "register": {"name": "people", "alias": "champion"},
        "class_weight": {"yes": 2, "no": 1},
        "training": {"preset": "tutorial", "iterations": 7, "learning_rate": 0.5, "tolerance": 1e-12},
    },
]


def words_of(program: str, command: str) -> list[str]:
    """What a shell hands to the program that a command calls."""
    script = f"{program}() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    return subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")[:-1]


def of_curl(text: str) -> dict[str, Any]:
    words = words_of("curl", text)
    job: dict[str, Any] = json.loads(words[words.index("-d") + 1])
    return job


def of_python(text: str) -> dict[str, Any]:
    """What `train` would send, which the program calls."""
    call = next(
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "train"
    )
    fields = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    request = asked(fields.pop("target", None), fields.pop("targets", None), fields.pop("hidden", None), fields)
    assert request.reading == {}
    return {"dataset_id": ast.literal_eval(call.args[0]), **request.job}


def of_shell(text: str) -> dict[str, Any]:
    """What `train` would send, which the command calls."""
    taken: dict[str, Any] = {}
    command = typer.Typer()

    @command.command()
    def train(
        data: str,
        target: list[str] | None = typer.Option(None),  # noqa: B008  # as Typer has it
        hidden: str | None = None,
        settings: list[str] | None = typer.Option(None, "--set"),  # noqa: B008
        url: str = "",
    ) -> None:
        fields = spec_of(None, settings or [])
        request = asked(None, target or None, hidden_of(hidden), fields)
        assert request.reading == {}
        taken.update({"dataset_id": data, **request.job})

    name, *words = words_of("backprop", text)
    assert name == "train"
    result = typer.testing.CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    return taken


@pytest.mark.parametrize("job", JOBS)
def test_all_three_say_the_same(job: dict[str, Any]) -> None:
    body = {"dataset_id": DATASET, **job}
    shown = commands(body, "http://127.0.0.1:8000", has_key=True)
    meant = JobSpec.model_validate(body)
    for said in (of_curl(shown.curl), of_python(shown.python), of_shell(shown.shell)):
        assert JobSpec.model_validate(said) == meant
    for text in (shown.curl, shown.python, shown.shell):
        assert "http://127.0.0.1:8000" in text
    assert "$BACKPROP_API_KEY" in shown.curl
    assert "Authorization" not in commands(body, "http://127.0.0.1:8000", has_key=False).curl


def test_the_json_that_a_page_shows_is_the_job_that_it_starts(service: Service) -> None:
    rows = [(row % 7 + 0.5, row % 5 + 0.25, "it's" if row % 2 else "not") for row in range(40)]
    dataset_id = service.upload_csv(csv_text(["a", "b", "y"], rows))["id"]
    form = {
        "dataset": dataset_id,
        "target": "y",
        "input": ["a"],
        "name": 'It\'s "mine"',
        "tags": "one two",
        "composed": "yes",
        "units": ["4"],
        "activation": ["tanh"],
        "iterations": "30",
        "holdout": "0.25",
        "more": '{"gradient_check": true, "training": {"corrections": 7}}',
    }
    page = service.api.post("/jobs/new", data={**form, "do": "look"}).text
    started = service.api.post("/jobs/new", data={**form, "do": "start"}, follow_redirects=False)
    mine = service.api.get(f"/v1{started.headers['location']}").json()
    own = {"id", "created_at"}
    for said in (
        of_curl(copied(page, "curl")),
        of_python(copied(page, "Python")),
        of_shell(copied(page, "Shell")),
    ):
        other = service.submit(said)
        assert {name: mine[name] for name in mine.keys() - own} == {name: other[name] for name in other.keys() - own}
