"""The containers train, share the work, lose nothing when one of them dies, and keep what they learnt."""

from __future__ import annotations

import csv
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil
import pytest

from app.access.admission import KNOWN_SECONDS
from backprop_client import NotFound, Unauthenticated
from backprop_client.wire.models import PredictionResponse
from tests.compose.conftest import SECRETS
from tests.compose.project import EXAMPLE, ROOT, CommandFailed, Project, docker, filled_in
from tests.compose.stack import DIGITS, Stack
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class Trained:
    """What three workers made of the digits, and what the models predicted at first."""

    dataset_id: str
    jobs: list[str]
    most_at_a_time: int
    models: list[str]
    predictions: list[PredictionResponse]


def predictions_of(stack: Stack, models: list[str]) -> list[PredictionResponse]:
    with DIGITS.open(newline="") as file:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [stack.client.models.predict(model, rows) for model in models]


@pytest.fixture(scope="module")
def trained(stack: Stack) -> Trained:
    dataset_id = stack.client.datasets.create(DIGITS, name="digits").id
    jobs = [stack.submit(dataset_id, iterations=3000, seed=seed) for seed in range(6)]
    most_at_a_time = 0

    def all_ended() -> bool:
        nonlocal most_at_a_time
        statuses = [stack.client.jobs.get(job).status for job in jobs]
        most_at_a_time = max(most_at_a_time, statuses.count("running"))
        return "running" not in statuses and "queued" not in statuses

    wait_for("the end of every job", all_ended, seconds=120, every=0.1)
    models = [stack.wait_for_success(job).model_id or "" for job in jobs]
    return Trained(dataset_id, jobs, most_at_a_time, models, predictions_of(stack, models))


@pytest.fixture
def three_workers(stack: Stack) -> Iterator[list[str]]:
    """The workers' containers; those that the test stops are started again."""
    workers = stack.project.containers("worker")
    yield workers
    docker("start", *workers)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("how", ["empty", "missing"])
def test_nothing_starts_without_secrets(project: Project, secret: str, how: str) -> None:
    line = f"{secret}=\n" if how == "empty" else ""
    project.configure(filled_in(SECRETS).replace(f"{secret}={SECRETS[secret]}\n", line))
    with pytest.raises(CommandFailed, match=r"copy \.env\.example to \.env and set it"):
        project.compose("up", "--detach")
    assert project.remains() == []


def test_nothing_starts_with_the_example_as_it_is(project: Project) -> None:
    project.configure(EXAMPLE.read_text())
    with pytest.raises(CommandFailed, match=r"copy \.env\.example to \.env and set it"):
        project.compose("up", "--detach")
    assert project.remains() == []


def test_three_workers_train_at_the_same_time(stack: Stack, trained: Trained) -> None:
    takers = stack.project.takers()
    assert {takers[job, 1] for job in trained.jobs} == set(stack.project.containers("worker"))
    assert len(stack.project.containers("worker")) == 3
    assert trained.most_at_a_time >= 2


def test_the_models_are_good_and_every_cost_is_there(stack: Stack, trained: Trained) -> None:
    for job, model in zip(trained.jobs, trained.models, strict=True):
        assert stack.client.models.get(model).metrics["held_out"]["accuracy"] >= 0.95
        assert [row.iteration for row in stack.costs(job)] == list(range(3001))


def test_predictions_are_mostly_true(trained: Trained) -> None:
    with DIGITS.open(newline="") as file:
        truth = [int(row["digit"]) for row in csv.DictReader(file)]
    for answer in trained.predictions:
        right = sum(a == b for a, b in zip(answer.predictions, truth, strict=True))
        assert right >= 0.95 * len(truth)


def test_every_service_is_healthy(stack: Stack) -> None:
    project = stack.project
    expected = {"api": 1, "worker": 3, "postgres": 1, "redis": 1}

    def all_healthy() -> bool:
        return all(project.health(service) == ["healthy"] * count for service, count in expected.items())

    wait_for("healthy services", all_healthy, seconds=90, every=1)
    (migrate,) = project.containers("migrate")
    state = project.inspect(migrate)["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)


def test_the_health_check_tells_a_container_without_a_worker(stack: Stack) -> None:
    (api,) = stack.project.containers("api")
    with pytest.raises(CommandFailed, match="No worker on this host"):
        docker("exec", api, "backprop", "worker-health")


@pytest.mark.parametrize("service", ["api", "worker"])
def test_our_processes_are_not_root(stack: Stack, service: str) -> None:
    for container in stack.project.containers(service):
        uid = docker("exec", container, "python3", "-c", "import os; print(os.stat('/proc/1').st_uid)")
        assert int(uid) == 10001


def test_only_the_configured_address_leads_to_the_api_and_none_to_the_rest(stack: Stack) -> None:
    published = {
        (service, binding["HostIp"], int(binding["HostPort"]))
        for service in ("api", "worker", "postgres", "redis")
        for container in stack.project.containers(service)
        for bindings in stack.project.inspect(container)["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }
    assert published == {("api", "127.0.0.1", stack.port)}
    socket.create_connection(("127.0.0.1", stack.port), timeout=5).close()
    addresses = [
        each.address for card in psutil.net_if_addrs().values() for each in card if each.family == socket.AF_INET
    ]
    for address in {"127.0.0.2", *addresses} - {"127.0.0.1"}:
        with pytest.raises(OSError, match=r"refused|timed out|reach|assign"):
            socket.create_connection((address, stack.port), timeout=2).close()


def test_nobody_comes_in_without_a_key_and_everybody_sees_the_own_project_only(stack: Stack, trained: Trained) -> None:
    nobody, stranger = stack.client_with(""), stack.client_with(stack.make_key("another"))
    with pytest.raises(Unauthenticated):
        nobody.datasets.get(trained.dataset_id)
    with pytest.raises(NotFound):
        stranger.datasets.get(trained.dataset_id)
    assert list(stranger.jobs.list()) == []
    assert stack.client.datasets.get(trained.dataset_id).id == trained.dataset_id


def test_a_revoked_key_is_refused_within_a_second(stack: Stack) -> None:
    key = stack.make_key("passing")
    client = stack.client_with(key)
    client.jobs.list()
    (api,) = stack.project.containers("api")
    assert "passing" in docker("exec", api, "backprop", "keys", "list")
    docker("exec", api, "backprop", "keys", "revoke", key.rpartition("_")[0])
    time.sleep(KNOWN_SECONDS)
    with pytest.raises(Unauthenticated) as refused:
        client.jobs.list()
    assert refused.value.code == "key_revoked"


def test_redis_asks_for_its_password_and_keeps_what_it_is_told(stack: Stack) -> None:
    (redis,) = stack.project.containers("redis")
    assert "NOAUTH" in docker("exec", "--env", "REDISCLI_AUTH=", redis, "redis-cli", "keys", "*")
    assert docker("exec", redis, "redis-cli", "config", "get", "appendonly").split() == ["appendonly", "yes"]


def test_no_password_stands_on_a_command_line(stack: Stack) -> None:
    containers = [
        container for name in ("redis", "postgres", "api", "worker") for container in stack.project.containers(name)
    ]
    configured = [stack.project.inspect(container)["Config"] for container in containers]
    variables = dict(line.partition("=")[::2] for config in configured for line in config["Env"])
    shown = [docker("top", container, "-eo", "pid,args") for container in containers]
    shown += [str(config["Cmd"]) for config in configured]
    assert any("redis-server" in lines for lines in shown)
    for password in (variables["REDISCLI_AUTH"], variables["POSTGRES_PASSWORD"]):
        assert password
        assert not any(password in lines for lines in shown)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_another_worker_finishes_what_one_leaves(
    stack: Stack, trained: Trained, three_workers: list[str], how: str
) -> None:
    undisturbed, disturbed = [stack.submit(trained.dataset_id, iterations=10_000, seed=7) for _ in range(2)]
    stack.wait_for_progress(disturbed, 500)
    victim = stack.project.takers()[disturbed, 1]
    docker(how, victim)
    if how == "stop":  # it left by itself, in the time it was given
        assert stack.project.inspect(victim)["State"]["ExitCode"] == 0
    jobs = [stack.wait_for_success(job) for job in (disturbed, undisturbed)]
    assert [job.attempt for job in jobs] == [2, 1]
    assert stack.project.takers()[disturbed, 2] in set(three_workers) - {victim}
    assert stack.costs(disturbed) == stack.costs(undisturbed)
    assert stack.weights(jobs[0].model_id or "") == stack.weights(jobs[1].model_id or "")


def test_a_part_that_ends_is_started_again(stack: Stack, three_workers: list[str]) -> None:
    before = stack.project.inspect(three_workers[0])["RestartCount"]

    def restarted() -> bool:
        if stack.project.inspect(three_workers[0])["RestartCount"] > before:
            return True
        # Again and again: a process 1 that has only just started ignores the signal. It may be down at the moment.
        with suppress(CommandFailed):
            docker("exec", three_workers[0], "sh", "-c", "kill 1")
        return False

    wait_for("a restart", restarted, seconds=60, every=1)


def test_a_restart_in_the_middle_of_a_job_loses_nothing(stack: Stack, trained: Trained) -> None:
    job = stack.submit(trained.dataset_id, iterations=10_000, seed=8)
    stack.wait_for_progress(job, 500)
    stack.project.compose("restart")
    stack.wait_until_ready()
    assert predictions_of(stack, trained.models) == trained.predictions
    assert stack.wait_for_success(job).attempt >= 2
    assert [row.iteration for row in stack.costs(job)] == list(range(10_001))


def test_models_and_datasets_outlive_the_containers(stack: Stack, trained: Trained) -> None:
    stack.project.compose("down")
    assert stack.project.containers("api") == []
    stack.up(workers=1)
    stack.wait_until_ready()
    assert len(stack.project.containers("worker")) == 1
    assert predictions_of(stack, trained.models) == trained.predictions
    stack.wait_for_success(stack.submit(trained.dataset_id, iterations=10, seed=9))


def test_the_image_demonstrates_itself(stack: Stack) -> None:
    assert "Everything is stopped." in docker("run", "--rm", stack.project.image, "backprop", "demo")


def test_the_example_names_what_the_compose_file_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text())) - {"BACKPROP_LOG_FORMAT"}
    assert asked <= set(re.findall(r"^(\w+)=", EXAMPLE.read_text(), re.MULTILINE))
