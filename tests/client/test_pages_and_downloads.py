"""Lists that go on page by page, and files, over the service itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest

from backprop_client import AsyncBackprop, Backprop, NotFound
from tests.support.service import Service

NAMES = [f"n{place}" for place in range(7)]


def client(service: Service) -> Backprop:
    key = service.api.headers.get("authorization", "").removeprefix("Bearer ")
    return Backprop(key or None, str(service.api.base_url), http_client=service.api)


def test_pages_go_on(service: Service) -> None:
    with client(service) as one:
        for name in NAMES:
            one.networks.create(name=name, layers=[{"units": 2}, {"activation": "linear"}])
        first = one.networks.list(limit=3)
        assert [network.name for network in first.data] == NAMES[:-4:-1]
        assert first.has_more
        second = first.next_page()
        assert second is not None
        assert [network.name for network in second] == NAMES[-4::-1]
        assert [network.name for network in one.networks.list(limit=2)] == NAMES[::-1]
        assert one.networks.list().next_page() is None


def test_all_costs_of_a_job_come_once_and_files_are_saved_whole(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    dataset = service.upload_csv("a,b,y\n" + "".join(f"{row},{row % 3},{row % 2}\n" for row in range(20)))
    with client(service) as one:
        job = one.jobs.create(
            dataset_id=dataset["id"],
            targets=["y"],
            task="classification",
            network={"layers": [{"units": 2, "activation": "tanh"}, {"activation": "softmax"}]},
            training={"preset": "tutorial", "iterations": 25},
        )
        service.attempt(job.id)
        assert [cost.iteration for cost in one.jobs.costs(job.id, limit=7)] == list(range(26))
        assert [step.sequence for step in one.jobs.history(job.id, limit=1)] == [1, 2, 3]
        model_id = one.jobs.get(job.id).model_id
        assert model_id is not None
        saved = one.models.weights(model_id).save(folder / "w.safetensors")
        assert (
            saved.read_bytes() == one.models.weights(model_id).read() == b"".join(one.models.weights(model_id).chunks())
        )
        answer = one.models.predict_file(model_id, b"a,b\n1,2\n", media_type="text/csv").read()
        assert answer.startswith((b"prediction,", b'"prediction"'))
        assert one.models.predict(model_id, [{"a": 1, "b": 2}]).model_id == model_id
        saved.write_bytes(b"older")
        with pytest.raises(NotFound):
            one.models.weights("mdl_none").save(saved)
        assert saved.read_bytes() == b"older"
        assert list(folder.iterdir()) == [saved]


def test_the_other_client_does_the_same(service: Service) -> None:
    async def names(one: AsyncBackprop) -> list[str]:
        for name in NAMES:
            await one.networks.create(name=name, layers=[{"units": 2}, {"activation": "linear"}])
        raw = await one.with_raw_response(lambda api: api.networks.list(limit=1))
        assert raw.status == 200
        listed = [network.name async for network in one.networks.list(limit=2)]
        assert [network.name async for network in await one.networks.list(limit=3)] == listed
        return listed

    async def main() -> list[str]:
        transport = httpx2.ASGITransport(service.api.app)
        async with httpx2.AsyncClient(transport=transport, headers=service.api.headers) as over:
            return await names(AsyncBackprop(None, str(service.api.base_url), http_client=over))

    assert asyncio.run(main()) == NAMES[::-1]
