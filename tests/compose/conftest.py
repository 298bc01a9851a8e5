"""The service in containers, started once for all tests; with a test that fails comes what the services logged."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.compose.project import CommandFailed, Project, filled_in
from tests.compose.stack import Stack

SECRETS = {"POSTGRES_PASSWORD": "a1", "REDIS_PASSWORD": "b2"}
"""What a project that is not to be started needs all the same to be removed."""

_STACK = pytest.StashKey[Stack]()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project of which nothing has been started."""
    project = Project(tmp_path)
    yield project
    project.configure(filled_in(SECRETS))
    project.remove()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The API, three workers, PostgreSQL and Redis. Afterwards nothing of them is left, whatever happened."""
    stack = Stack(Project(tmp_path_factory.mktemp("compose")))
    try:
        _start(stack)
        request.config.stash[_STACK] = stack
        yield stack
    finally:
        stack.close()
        stack.project.remove()
        assert stack.project.remains() == []


def _start(stack: Stack) -> None:
    try:
        stack.project.compose("build")
        with pytest.raises(CommandFailed, match="no key has been made"):
            stack.project.compose("run", "--rm", "-T", "api")
        stack.client = stack.client_with(stack.make_key("digits"))
        stack.up(workers=3)
        stack.wait_until_ready()
    except BaseException:
        print(stack.project.compose("logs", "--no-color"))  # noqa: T201  # shown with the test that asked for the stack
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the services logged to the report of a test that failed."""
    report = yield
    stack = item.config.stash.get(_STACK, None)
    if report.failed and report.when == "call" and stack is not None:
        report.sections.append(("The services' logs", stack.project.compose("logs", "--no-color", "--tail", "200")))
    return report
