"""`backprop keys`, and servers that other machines can reach."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from cli.commands import app
from cli.exposure import keyless_hosts, listen
from infra.settings import Settings
from tests.support.api_process import running_api
from tests.support.faults import SOON
from tests.support.keys import bearing, id_of
from tests.support.serving import serving
from tests.support.waiting import wait_for


def backprop(*arguments: str, succeeds: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def keys(*arguments: str, succeeds: bool = True) -> Result:
    """Run the command `backprop keys` to its end, in this process."""
    done = CliRunner().invoke(app, ["keys", *arguments])
    assert (done.exit_code == 0) == succeeds, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def make_key(folder: Path, project: str, *options: str) -> str:
    made = keys("create", "--data", str(folder), "--project", project, *options)
    assert re.fullmatch(r"key_\w{26}_[0-9a-f]{64}\n", made.stdout)  # nothing else: KEY=$(backprop keys create …)
    assert id_of(made.stdout) in made.stderr
    return made.stdout.strip()


def test_keys_are_made_listed_and_revoked_while_a_server_runs(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        assert served.get("/v1/jobs").status_code == 200
        key = make_key(tmp_path / "data", "red", "--scope", "read", "--scope", "predict")
        short = make_key(tmp_path / "data", "blue", "--expires-in-days", "0")
        wait_for("the door to close", lambda: served.get("/v1/jobs").status_code == 401, SOON)

        def code(text: str) -> str | None:
            answer = httpx2.get(f"{served.url}/v1/jobs", headers=bearing(text), trust_env=False)
            return None if answer.is_success else answer.json()["code"]

        assert (code(key), code(short)) == (None, "key_expired")
        listed = keys("list", "--data", str(tmp_path / "data")).stdout
        assert re.search(rf"{id_of(key)}\s+red\s+read predict\s+\S+ \S+\s+active", listed)
        assert re.search(rf"{id_of(short)}\s+blue\s+read train predict\s+\S+ \S+\s+expired", listed)
        assert key not in listed
        only_blue = keys("list", "--data", str(tmp_path / "data"), "--project", "blue").stdout
        assert id_of(key) not in only_blue
        keys("revoke", "--data", str(tmp_path / "data"), id_of(key))
        wait_for("its end", lambda: code(key) == "key_revoked", SOON)
        assert "revoked" in keys("list", "--data", str(tmp_path / "data")).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "--project", "a b"), "A project's name has"),
        (("create", "--project", ""), "A project's name has"),
        (("create", "--project", "x" * 64), "A project's name has"),
        (("create", "--project", "red", "--scope", "write"), "There is no scope 'write'"),
        (("revoke", "key_none"), "There is no key key_none"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in keys(*arguments, "--data", str(tmp_path), succeeds=False).stderr


def test_other_databases_are_not_migrated_by_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKPROP_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    refused = keys("create", "--project", "red", succeeds=False)
    assert "run `backprop migrate` first" in refused.stderr


def test_a_server_for_others_needs_a_key_and_says_how_to_make_one(tmp_path: Path) -> None:
    host = "0.0.0.0"  # noqa: S104
    folder = tmp_path / "my data"
    refused = backprop("serve", "--data", str(folder), "--host", host, "--port", "0", succeeds=False)
    command = re.search(r"^ +backprop (keys create --data '.*' --project) NAME$", refused.stderr, re.MULTILINE)
    assert command is not None, refused.stderr
    key = make_key(folder, "red")  # as it says
    with serving(folder, "--host", host) as served:
        url = served.url.replace(host, "127.0.0.1")
        assert httpx2.get(f"{url}/v1/jobs", trust_env=False).status_code == 401
        assert httpx2.get(f"{url}/v1/jobs", headers=bearing(key), trust_env=False).status_code == 200
        assert httpx2.get(f"{url}/readyz", trust_env=False).status_code == 200


def test_an_api_for_others_needs_a_key_too(migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKPROP_DATABASE_URL", f"sqlite:///{migrated_sqlite}")
    refused = backprop("api", "--host", "0.0.0.0", "--port", "0", succeeds=False)  # noqa: S104
    assert "backprop keys create --project NAME" in refused.stderr
    assert "docker compose run --rm api backprop keys create --project NAME" in refused.stderr


def test_a_revoked_key_is_not_enough_to_start(tmp_path: Path) -> None:
    key = make_key(tmp_path, "red")
    keys("revoke", "--data", str(tmp_path), id_of(key))
    refused = backprop("serve", "--data", str(tmp_path), "--host", "0.0.0.0", "--port", "0", succeeds=False)  # noqa: S104
    assert "no key" in refused.stderr


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", {"127.0.0.1", "localhost", "[::1]"}),
        ("127.0.0.5", {"127.0.0.5", "127.0.0.1", "localhost", "[::1]"}),
        ("::1", {"127.0.0.1", "localhost", "[::1]"}),
        ("0.0.0.0", set()),  # noqa: S104
        ("::", set()),
    ],
)
def test_only_this_machine_may_go_without_a_key(host: str, names: set[str]) -> None:
    with listen(host, 0) as listener:
        assert keyless_hosts(listener) == names


def test_a_page_of_another_site_gets_nothing_from_a_server_without_keys(
    migrated_sqlite: Path, redis_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=f"sqlite:///{migrated_sqlite}", redis_url=redis_url)
    with running_api(settings) as api:
        assert api.client.get("/v1/jobs").status_code == 200
        for headers in ({"Host": f"evil.example:{api.port}"}, {"Origin": "https://evil.example"}):
            assert api.client.get("/v1/jobs", headers=headers).status_code == 401
        assert api.client.get("/v1/jobs", headers={"Origin": f"http://127.0.0.1:{api.port}"}).status_code == 200
