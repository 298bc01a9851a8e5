"""The servers that are measured, each as its makers would have it serve one model from one process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx2
import numpy as np
import psutil
from typing_extensions import override

from backprop_client import Backprop
from benchmarks.predictions.load import Request
from cli.demo import DIGITS
from cli.own_client import client_of
from cli.stack import Stack
from infra.processes import stop

HERE = Path(__file__).parent
JSON = {"Content-Type": "application/json"}
START_SECONDS = 120.0

NETWORK = [{"units": 32, "activation": "relu"}, {"activation": "softmax"}]


class Server(ABC):
    """A server that runs.

    Attributes:
        name: as the table has it.
        url: where it listens.
        processes: those that answer.
    """

    name: str

    def __init__(self, url: str, *processes: psutil.Process) -> None:
        self.url = url
        self.processes = processes

    @abstractmethod
    def asked_in_json(self, rows: np.ndarray) -> Request:
        """The request for the scores of these rows, of shape [n, 64]."""

    @abstractmethod
    def scores(self, answer: bytes) -> np.ndarray:
        """The scores in an answer in JSON, of shape [n, 10]."""

    def asked_in_binary(self, rows: np.ndarray) -> Request | None:  # noqa: ARG002  # most cannot
        """The same with raw doubles both ways; None if the server takes none."""
        return None

    def raw_scores(self, answer: bytes) -> np.ndarray:
        """The scores in an answer with raw doubles, of shape [n, 10]."""
        raise NotImplementedError

    def cpu_seconds(self) -> float:
        """Seconds that its processes and their children have computed so far."""
        return sum(
            sum(each.cpu_times()[:2])
            for process in self.processes
            for each in (process, *process.children(recursive=True))
        )


class Ours(Server):
    """The whole of it: a key is asked for and its requests are counted."""

    name = "Backprop"

    def __init__(self, url: str, model_id: str, key: str, *processes: psutil.Process) -> None:
        super().__init__(url, *processes)
        self._model_id = model_id
        self._headers = {"Authorization": f"Bearer {key}"}

    @override
    def asked_in_json(self, rows: np.ndarray) -> Request:
        body = json.dumps({"rows": rows.tolist()}).encode()
        return Request(f"{self.url}/v1/models/{self._model_id}/predict", {**JSON, **self._headers}, body)

    @override
    def scores(self, answer: bytes) -> np.ndarray:
        said = json.loads(answer)
        if "scores" in said:
            return np.asarray(said["scores"])[:, np.argsort(said["classes"])]
        told = [{each["class"]: each["score"] for each in one["scores"]} for one in said["predictions"]]
        return np.asarray([[each[label] for label in sorted(each)] for each in told])

    @override
    def asked_in_binary(self, rows: np.ndarray) -> Request | None:
        raw = rows.astype("<f8").tobytes()
        tensor = {"name": "input", "shape": list(rows.shape), "datatype": "FP64"}
        head = {
            "inputs": [{**tensor, "parameters": {"binary_data_size": len(raw)}}],
            "outputs": [{"name": "scores", "parameters": {"binary_data": True}}],
        }
        text = json.dumps(head).encode()
        headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))}
        request = Request(f"{self.url}/v2/models/{self._model_id}/infer", {**headers, **self._headers}, text + raw)
        answer = httpx2.post(request.url, content=request.body, headers=request.headers, trust_env=False)
        return request if answer.is_success else None

    @override
    def raw_scores(self, answer: bytes) -> np.ndarray:
        return np.frombuffer(answer[answer.index(b"}]}") + 3 :], "<f8").reshape(-1, 10)


class MLServer(Server):
    """Its runtime for scikit-learn. Over HTTP it takes JSON only."""

    name = "MLServer"

    @override
    def asked_in_json(self, rows: np.ndarray) -> Request:
        tensor = {"name": "x", "shape": list(rows.shape), "datatype": "FP64", "data": rows.ravel().tolist()}
        body = {"inputs": [tensor], "outputs": [{"name": "predict_proba"}]}
        return Request(f"{self.url}/v2/models/digits/infer", JSON, json.dumps(body).encode())

    @override
    def scores(self, answer: bytes) -> np.ndarray:
        (tensor,) = json.loads(answer)["outputs"]
        return np.asarray(tensor["data"]).reshape(tensor["shape"])


class BentoML(Server):
    """A service of one route."""

    name = "BentoML"

    @override
    def asked_in_json(self, rows: np.ndarray) -> Request:
        return Request(f"{self.url}/predict", JSON, json.dumps({"rows": rows.tolist()}).encode())

    @override
    def scores(self, answer: bytes) -> np.ndarray:
        return np.asarray(json.loads(answer))


class BareHandler(Server):
    """A FastAPI handler with nothing around it."""

    name = "bare FastAPI handler"

    @override
    def asked_in_json(self, rows: np.ndarray) -> Request:
        return Request(f"{self.url}/predict", JSON, json.dumps({"rows": rows.tolist()}).encode())

    @override
    def scores(self, answer: bytes) -> np.ndarray:
        return np.asarray(json.loads(answer)["scores"])


class BareEcho(Server):
    """Uvicorn with nothing behind it. It answers with what it was sent, so nobody asks for its scores."""

    name = "bare Uvicorn echo"

    @override
    def asked_in_json(self, rows: np.ndarray) -> Request:
        return Request(self.url, JSON, json.dumps({"rows": rows.tolist()}).encode())

    @override
    def scores(self, answer: bytes) -> np.ndarray:
        return np.eye(10)[digits()[1][: len(json.loads(answer)["rows"])]]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Rows of the shape [1797, 64] and what they show."""
    table = np.loadtxt(DIGITS, delimiter=",", skiprows=1, dtype=np.int64)
    return table[:, :-1], table[:, -1]


@dataclass(frozen=True)
class Environments:
    """Where the peers are installed, a folder each, and where what is served is kept.

    Attributes:
        peers: with the folders ``mlserver`` and ``bentoml``.
        scratch: gone at the end.
    """

    peers: Path
    scratch: Path

    @cached_property
    def fitted_here(self) -> Path:
        """The network, fitted in this environment."""
        return self.fitted(sys.executable, "floor")

    def program(self, peer: str, name: str) -> str:
        """A program of a peer's environment."""
        return str(self.peers / peer / "bin" / name)

    def fitted(self, python: str, name: str) -> Path:
        """The network, fitted and written by that Python."""
        folder = self.scratch / name
        folder.mkdir()
        subprocess.run([python, HERE / "fitting.py", folder / "model.joblib"], check=True)
        return folder / "model.joblib"


@contextmanager
def ours(environments: Environments, api_processes: int) -> Iterator[Server]:
    """`backprop serve`, with a model trained over its interface, and a key."""
    os.environ["BACKPROP_MAX_REQUESTS_PER_SECOND"] = "1000000"  # counted, and never reached
    folder = environments.scratch / f"ours-{api_processes}"
    with (
        Stack("127.0.0.1", 0, folder, 1, log_level="WARNING", api_processes=api_processes) as stack,
        client_of(stack.url) as client,
    ):
        model_id = _trained(client)
        command = [sys.executable, "-m", "cli", "keys", "create", "--data", str(folder), "--project", "default"]
        key = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        one = Ours(stack.url, model_id, key, *_listening(stack.url))
        one.name += f", {api_processes} processes" if api_processes > 1 else ""
        yield one


@contextmanager
def mlserver(environments: Environments) -> Iterator[Server]:
    """Without workers beside the server, measurements of its own or compression."""
    model = environments.fitted(environments.program("mlserver", "python"), "mlserver")
    port, grpc_port = _free_port(), _free_port()
    settings = {
        "debug": False,
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": grpc_port,
        "parallel_workers": 0,
        "metrics_endpoint": None,
        "gzip_enabled": False,
    }
    (model.parent / "settings.json").write_text(json.dumps(settings))
    of_the_model = {
        "name": "digits",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(model)},
    }
    (model.parent / "model-settings.json").write_text(json.dumps(of_the_model))
    command = [environments.program("mlserver", "mlserver"), "start", str(model.parent)]
    with _running(command, {}, model.with_suffix(".log"), f"http://127.0.0.1:{port}", "/v2/health/ready") as process:
        yield MLServer(f"http://127.0.0.1:{port}", process)


@contextmanager
def bentoml(environments: Environments) -> Iterator[Server]:
    """One worker, without a log of requests, measurements of its own or traces."""
    python = environments.program("bentoml", "python")
    model = environments.fitted(python, "bentoml")
    port = _free_port()
    command = [python, "-m", "bentoml", "serve", "bento:Digits", "--working-dir", str(HERE), "--host", "127.0.0.1"]
    variables = {"FITTED_MODEL": str(model), "BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(model.parent)}
    command += ["--port", str(port)]
    with _running(command, variables, model.with_suffix(".log"), f"http://127.0.0.1:{port}", "/readyz") as process:
        yield BentoML(f"http://127.0.0.1:{port}", process)


@contextmanager
def floor(environments: Environments, name: str, kind: type[Server]) -> Iterator[Server]:
    """One of the bare applications, under the Uvicorn of this environment."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", f"benchmarks.predictions.floor:{name}", "--port", str(port)]
    options = ["--no-access-log", "--log-level", "warning"]
    variables = {"FITTED_MODEL": str(environments.fitted_here)}
    log = environments.scratch / f"{name}.log"
    with _running([*command, *options], variables, log, f"http://127.0.0.1:{port}", "/") as process:
        yield kind(f"http://127.0.0.1:{port}", process)


def _trained(client: Backprop) -> str:
    """Train the network; gives the model's id."""
    dataset = client.datasets.create(DIGITS)
    job = client.jobs.create(
        dataset_id=dataset.id,
        inputs=[column.name for column in dataset.columns if column.name != "digit"],
        targets=["digit"],
        task="classification",
        network={"layers": NETWORK},
        training={"preset": "tutorial", "iterations": 300, "learning_rate": 0.5, "init": "uniform"},
    )
    return client.job(job.id).wait(progress=False).id


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _listening(url: str) -> list[psutil.Process]:
    """Those of our children that have a socket open at the address of this URL."""
    port = int(url.rpartition(":")[2])
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in process.net_connections())
    ]


@contextmanager
def _running(
    command: list[str], variables: Mapping[str, str], log: Path, url: str, ready: str
) -> Iterator[psutil.Process]:
    """A server's process, once it answers at the path `ready`; stopped at the end. What it says goes into the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url + ready):
            assert process.poll() is None, f"{command} ended: {log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{command} does not answer: {log.read_text()[-2000:]}"
            time.sleep(0.2)
        yield psutil.Process(process.pid)
    finally:
        stop(process)


def _answers(url: str) -> bool:
    try:
        return httpx2.post(url, content=b"{}", trust_env=False).status_code < 500
    except httpx2.TransportError:
        return False
