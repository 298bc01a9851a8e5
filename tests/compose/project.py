"""This tree's docker-compose.yml, run under a name, an image and a port that nothing else uses."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / ".env.example"

_DOCKER = shlex.split(os.environ.get("DOCKER", "docker"))
_COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))


class CommandFailed(AssertionError):
    """A command of the container engine has failed; the message is what it printed."""


def filled_in(values: Mapping[str, str]) -> str:
    """The text of `.env.example` with these variables set to these values."""
    lines = EXAMPLE.read_text().splitlines()
    names = [line.partition("=")[0] for line in lines]
    for name, value in values.items():
        lines[names.index(name)] = f"{name}={value}"
    return "\n".join(lines) + "\n"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Project:
    """A compose project of its own: its containers, volumes and networks are found by its name.

    Attributes:
        name: unique, so that projects run side by side.
        image: the image that it builds.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"backprop-test-{uuid4().hex[:12]}"
        self.image = f"{self.name}:latest"
        self._env_file = folder / f"{self.name}.env"

    def configure(self, env: str) -> None:
        """Take this text as the project's `.env`."""
        self._env_file.write_text(env)

    def compose(self, *arguments: str) -> str:
        """Run a compose command; gives what it printed.

        Raises:
            CommandFailed: it failed.
        """
        files = ["--project-directory", str(ROOT), "--env-file", str(self._env_file)]
        return _run([*_COMPOSE, "--project-name", self.name, *files, *arguments])

    def containers(self, service: str) -> list[str]:
        """The ids of the service's containers, stopped ones included."""
        return self._owned("ps", "--all", "--filter", f"label=com.docker.compose.service={service}")

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the engine knows about a container."""
        description: list[dict[str, Any]] = json.loads(docker("inspect", container))
        return description[0]

    def health(self, service: str) -> list[str]:
        """How each of the service's containers feels: starting, healthy or unhealthy."""
        return [self.inspect(container)["State"]["Health"]["Status"] for container in self.containers(service)]

    def takers(self) -> dict[tuple[str, int], str]:
        """Which worker's container took up which job, by the job's id and the number of the attempt."""
        taken = {}
        for container in self.containers("worker"):
            for line in docker("logs", container).splitlines():
                if "job taken up" in line:
                    entry = json.loads(line)
                    taken[entry["job"], entry["attempt"]] = container
        return taken

    def remove(self) -> None:
        """Stop and delete everything of the project, its data and its image included."""
        self.compose("down", "--volumes", "--remove-orphans")
        if docker("images", "--quiet", self.image):
            docker("rmi", self.image)

    def remains(self) -> list[str]:
        """The containers, volumes and networks that there are of the project."""
        return [*self._owned("ps", "--all"), *self._owned("volume", "ls"), *self._owned("network", "ls")]

    def _owned(self, *listing: str) -> list[str]:
        return docker(*listing, "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").split()


def docker(*arguments: str) -> str:
    """Run a docker command; gives what it printed.

    Raises:
        CommandFailed: it failed.
    """
    return _run([*_DOCKER, *arguments])


def _run(command: list[str]) -> str:
    """Run it with nothing in the environment that would say something else than the project's `.env`."""
    ours = ("BACKPROP_", "POSTGRES_", "REDIS_", "COMPOSE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CommandFailed(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout
