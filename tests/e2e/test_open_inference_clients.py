"""Clients of the Open Inference Protocol as they are, against a server that is one process of its own.

Those that do not install beside the service, KServe's and MLServer's, are in `.ci/open-inference-clients`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient import http as triton
from tritonclient.http import aio as triton_aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from cli.own_client import client_of
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.settings import Settings
from tests.support.api_process import ApiProcess, running_api
from tests.support.registry import moved, registered
from tests.support.service import Service
from tests.support.tensors import outputs_for

Array = NDArray[Any]

CSV = "size,rooms,colour,member,day,grade,price\n" + "".join(
    f"{i}.25,{1 + i % 4},{'red' if i % 3 else 'blue'},{'true' if i % 2 else 'false'},2024-01-{1 + i % 28:02d},"
    f"{('fail', 'pass')[i % 5 > 2]},{10 + i}.5\n"
    for i in range(60)
)
INPUTS = ["size", "rooms", "colour", "member", "day"]
ROWS = [
    {"size": 3.5, "rooms": 2, "colour": "red", "member": True, "day": "2024-01-03"},
    {"size": -1e3, "rooms": 4, "colour": "blue", "member": False, "day": "2024-02-29"},
    {"size": 0.1, "rooms": 1, "colour": "red", "member": False, "day": "2024-12-31T23:59:59"},
]
DATATYPES = {"size": np.float64, "rooms": np.int32, "colour": np.object_, "member": np.bool_, "day": np.object_}


@dataclass(frozen=True)
class Trained:
    """A server, and what it serves.

    Attributes:
        process: the server.
        mixed: a model of mixed columns, which predicts grades.
        numbers: a model of the numbers among them, which predicts grades.
        prices: a model of mixed columns, which predicts a number.
        copied: a model of mixed columns without moments, which reconstructs them.
    """

    process: ApiProcess
    mixed: str
    numbers: str
    prices: str
    copied: str

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.process.port}"

    def own(self, model_id: str, rows: Sequence[Any]) -> dict[str, list[Any]]:
        """What each tensor should hold, as the service's own address answers."""
        with client_of(self.process.url) as client:
            answer = client.models.predict(model_id, rows)
        return outputs_for(answer, ["price"] if model_id == self.prices else ())


@pytest.fixture(scope="module")
def trained(migrated_sqlite: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("oip")
    (folder / "test.db").write_bytes(migrated_sqlite.read_bytes())
    settings = Settings(
        data_dir=folder, database_url=f"sqlite:///{folder / 'test.db'}", redis_url=redis_url, queue_name="oip-clients"
    )
    database = Database(settings.resolved_database_url)
    with running_api(settings) as process:
        service = Service(process.client, database, ArtifactStore(settings.resolved_artifacts_uri), settings)  # type: ignore[arg-type]
        dataset = service.upload_csv(CSV)["id"]
        network = {"layers": [{"units": 4, "activation": "tanh"}, {}]}
        training = {"preset": "tutorial", "iterations": 20}

        def model(**job: Any) -> str:  # noqa: ANN401
            body = {"dataset_id": dataset, "network": network, "training": training} | job
            trained: str = service.train(body)["model_id"]
            return trained

        mixed = model(targets=["grade"], inputs=INPUTS)
        numbers = model(targets=["grade"], inputs=["size", "rooms"])
        registered(database, "grades", numbers, mixed)
        moved(database, "grades", "champion", 2)
        copied = model(inputs=INPUTS[:-1], task="reconstruction")
        yield Trained(process, mixed, numbers, model(targets=["price"], inputs=INPUTS), copied)
    database.close()


@pytest.fixture
def client(trained: Trained) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(trained.address) as client:
        yield client


def column(name: str, rows: Sequence[dict[str, Any]], **how: Any) -> triton.InferInput:  # noqa: ANN401
    values: Array = np.array([[row[name]] for row in rows], DATATYPES[name])
    given = triton.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    return given.set_data_from_numpy(values, **how)


def table(rows: Sequence[dict[str, Any]], **how: Any) -> list[triton.InferInput]:  # noqa: ANN401
    return [column(name, rows, **how) for name in INPUTS]


def labels(tensor: Array) -> list[Any]:
    return [value.decode() if isinstance(value, bytes) else value for value in tensor.ravel().tolist()]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_a_mixed_table_gets_the_bits_of_our_own_address(
    trained: Trained, client: triton.InferenceServerClient, binary_in: bool, binary_out: bool | None
) -> None:
    outputs = None if binary_out is None else [triton.InferRequestedOutput(n, binary_out) for n in ("scores", "label")]
    inputs = table(ROWS, binary_data=binary_in)
    result = client.infer(trained.mixed, inputs, outputs=outputs, request_id="seven", parameters={"mine": 1})
    own = trained.own(trained.mixed, ROWS)
    said = result.get_response()
    assert (said["model_name"], said["model_version"], said["id"]) == (trained.mixed, "1", "seven")
    assert [output["name"] for output in said["outputs"]] == (
        ["label", "scores"] if outputs is None else ["scores", "label"]
    )
    assert result.get_output("scores")["parameters"]["classes"] == ["fail", "pass"]
    assert labels(result.as_numpy("label")) == own["label"]
    assert result.as_numpy("scores").ravel().tolist() == own["scores"]


def test_a_subset_of_the_outputs_is_all_there_is(trained: Trained, client: triton.InferenceServerClient) -> None:
    result = client.infer(trained.mixed, table(ROWS), outputs=[triton.InferRequestedOutput("label")])
    assert result.as_numpy("scores") is None
    assert len(result.get_response()["outputs"]) == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8, np.uint64])
def test_a_model_of_numbers_takes_one_tensor(
    trained: Trained, client: triton.InferenceServerClient, dtype: type[np.generic]
) -> None:
    X = np.array([[3.5, 2], [7.1, 1], [0, 4]]).astype(dtype)
    given = triton.InferInput("input-0", list(X.shape), np_to_triton_dtype(X.dtype)).set_data_from_numpy(X)
    result = client.infer(trained.numbers, [given])
    own = trained.own(trained.numbers, X.astype(np.float64).tolist())
    assert result.as_numpy("scores").ravel().tolist() == own["scores"]


def test_regressions_and_reconstructions_have_a_tensor_a_column(
    trained: Trained, client: triton.InferenceServerClient
) -> None:
    (price,) = client.get_model_metadata(trained.prices)["outputs"]
    assert price == {"name": "price", "datatype": "FP64", "shape": [-1, 1]}
    prices = client.infer(trained.prices, table(ROWS)).as_numpy("price").ravel().tolist()
    assert prices == trained.own(trained.prices, ROWS)["price"]
    copied = client.infer(trained.copied, table(ROWS))
    assert {name: labels(copied.as_numpy(name)) for name in INPUTS[:-1]} == trained.own(trained.copied, ROWS)


def test_names_versions_and_aliases(trained: Trained, client: triton.InferenceServerClient) -> None:
    own = trained.own(trained.mixed, ROWS)["scores"]
    for version in ("", "2", "@champion"):
        result = client.infer("grades", table(ROWS), model_version=version)
        assert (result.get_response()["model_name"], result.get_response()["model_version"]) == ("grades", "2")
        assert result.as_numpy("scores").ravel().tolist() == own
        assert client.get_model_metadata("grades", version)["versions"] == ["1", "2"]
        assert client.is_model_ready("grades", version)
    assert [each["name"] for each in client.get_model_metadata("grades", "1")["inputs"]] == ["size", "rooms"]
    for version in ("3", "@nobody", "0", "x", "1" * 400):
        assert not client.is_model_ready("grades", version)


def test_metadata_says_what_the_model_takes(trained: Trained, client: triton.InferenceServerClient) -> None:
    told = client.get_model_metadata(trained.mixed)
    assert told["platform"] == "backprop"
    assert [(each["name"], each["datatype"], each["shape"]) for each in told["inputs"]] == [
        ("size", "FP64", [-1, 1]),
        ("rooms", "INT64", [-1, 1]),
        ("colour", "BYTES", [-1, 1]),
        ("member", "BOOL", [-1, 1]),
        ("day", "BYTES", [-1, 1]),
    ]
    assert told["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [-1, 1]},
        {"name": "scores", "datatype": "FP64", "shape": [-1, 2], "parameters": {"classes": ["fail", "pass"]}},
    ]


def test_the_server_tells_of_itself(trained: Trained, client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    index = {(each["name"], each["version"], each["state"]) for each in client.get_model_repository_index()}
    assert {("grades", "1", "READY"), ("grades", "2", "READY"), (trained.mixed, "1", "READY")} <= index
    client.unload_model("grades")
    client.load_model("grades")
    assert client.is_model_ready("grades")


def test_statistics_count_what_was_asked(trained: Trained, client: triton.InferenceServerClient) -> None:
    def counted() -> tuple[int, int, int]:
        (only,) = client.get_inference_statistics("grades", "1")["model_stats"]
        return only["inference_count"], only["execution_count"], only["inference_stats"]["fail"]["count"]

    before = counted()
    pair = table(ROWS)[:2]
    client.infer("grades", pair, model_version="1")
    with pytest.raises(InferenceServerException):
        client.infer("grades", pair[:1], model_version="1")
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [3, 1, 1]
    assert ("grades", "1") in {
        (each["name"], each["version"]) for each in client.get_inference_statistics()["model_stats"]
    }


def test_errors_come_with_their_text(trained: Trained, client: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="There is no tensor for column 'day'") as refused:
        client.infer(trained.mixed, table(ROWS)[:-1])
    assert refused.value.status() == "422"
    with pytest.raises(InferenceServerException, match="There is no model") as refused:
        client.get_model_metadata("mdl_00000000000000000000000000")
    assert refused.value.status() == "404"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bodies_may_be_compressed_both_ways(
    trained: Trained, client: triton.InferenceServerClient, coding: str
) -> None:
    plain = client.infer(trained.mixed, table(ROWS)).as_numpy("scores")
    packed = client.infer(
        trained.mixed, table(ROWS), request_compression_algorithm=coding, response_compression_algorithm=coding
    )
    assert packed.as_numpy("scores").tolist() == plain.tolist()


FULL = 16 * 2**20 - 200
ROOM = 400 * 2**20
"""Bytes. What answering any one request may take on top, as in tests/app/test_memory.py."""

HEAD = b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64",'
LARGE: dict[str, tuple[bytes, int]] = {
    "a million tensors": (b'{"inputs":[' + HEAD[11:] + b'"data":[1,2]}' + b",{}" * 10**6 + b"]}", 413),
    "tensors that are none": (b'{"inputs":[' + b"0," * (FULL // 2) + b"0]}", 422),
    "numbers": (HEAD + b'"data":[' + b"0," * (FULL // 2) + b"0]}]}", 422),
    "nulls": (HEAD + b'"data":[' + b"null," * (FULL // 5) + b"0]}]}", 422),
    "nested arrays": (HEAD + b'"data":' + b"[" * (FULL - 100), 413),
    "a long text": (HEAD[:-6] + b'BYTES","data":["' + b"x" * (FULL - 100) + b'","",1]}]}', 422),
    "dimensions": (b'{"inputs":[{"name":"x","datatype":"FP64","shape":[' + b"1," * (FULL // 2 - 100) + b"1]}]}", 422),
    "outputs": (HEAD + b'"data":[1,2]}],"outputs":[' + b"0," * (FULL // 2 - 100) + b"0]}", 422),
    "keys": (HEAD + b'"data":[1,2]}],' + b",".join(b'"%d":0' % number for number in range(1_400_000)) + b"}", 200),
}


@pytest.mark.parametrize("what", LARGE)
def test_a_large_body_takes_little_memory_and_gets_a_short_answer(trained: Trained, what: str) -> None:
    body, status = LARGE[what]
    assert len(body) <= 16 * 2**20
    trained.process.forget_peak()
    before = trained.process.memory()
    response = trained.process.client.post(f"/v2/models/{trained.numbers}/infer", content=body)
    assert response.status_code == status, response.text[:300]
    assert len(response.content) < 10_000
    assert trained.process.peak_memory() < before + ROOM


def test_triton_s_asynchronous_client(trained: Trained) -> None:
    async def ask() -> tuple[Any, ...]:
        async with triton_aio.InferenceServerClient(trained.address) as client:
            results = await asyncio.gather(*(client.infer("grades", table(ROWS)) for _ in range(20)))
            packed = await client.infer(
                "grades",
                table(ROWS),
                "@champion",
                request_compression_algorithm="gzip",
                response_compression_algorithm="gzip",
            )
            return await client.is_server_ready(), await client.get_model_metadata("grades"), [*results, packed]

    is_ready, metadata, results = asyncio.run(ask())
    assert is_ready
    assert metadata["name"] == "grades"
    own = trained.own(trained.mixed, ROWS)["scores"]
    assert all(result.as_numpy("scores").ravel().tolist() == own for result in results)


def test_the_working_group_s_own_client(trained: Trained) -> None:
    openapi = pytest.importorskip("open_inference.openapi.client", reason="it does not run with Python 3.14")
    types = pytest.importorskip("open_inference.openapi")
    inputs = [
        types.RequestInput(
            name=name,
            shape=[len(ROWS), 1],
            datatype=np_to_triton_dtype(np.dtype(DATATYPES[name])),
            data=types.TensorData(__root__=[row[name] for row in ROWS]),
        )
        for name in INPUTS
    ]
    request = types.InferenceRequest(id="9", inputs=inputs)
    with httpx.Client(trust_env=False) as transport:
        client = openapi.OpenInferenceClient(base_url=f"http://{trained.address}", httpx_client=transport)
        client.check_server_liveness()
        client.check_server_readiness()
        client.check_model_readiness("grades")
        assert client.read_server_metadata().name == "backprop"
        assert client.read_model_version_metadata("grades", "@champion").versions == ["1", "2"]
        answer = client.model_infer("grades", request=request)
        with pytest.raises(types.NotFoundError):
            client.check_model_version_readiness("grades", "7")
    assert (answer.id, answer.model_version) == ("9", "2")
    label, scores = answer.outputs
    own = trained.own(trained.mixed, ROWS)
    assert label.data.dict()["__root__"] == own["label"]
    assert scores.data.dict()["__root__"] == own["scores"]
