from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backprop.coding.coding import Coding
from backprop.coding.inputs import CodedColumn
from backprop.coding.scaling import Scaler
from backprop.coding.targets import NumberCoding
from backprop.features import sheet_of_tiles, strongest_inputs
from backprop.model import TrainedModel
from backprop.network import Layer, Network, Parameters
from domain.models import features
from domain.models.features import page_of_features, picture_of_features, prefers_png
from infra.errors import InvalidRequest, TooLarge
from tests.support.columns import inputs_scaled
from tests.support.service import Service


def a_model(units: int = 7, inputs: int = 16) -> TrainedModel:
    network = Network(inputs, (Layer(units, "sigmoid"), Layer(1, "linear")))
    parameters = Parameters.zeros(network, np.float64)
    parameters.W[0][...] = np.random.default_rng(0).normal(size=(units, inputs))
    coding = inputs_scaled(
        (*(CodedColumn(f"x{number}") for number in range(inputs - 2)), CodedColumn("colour", ("blue", "red"))),
        Scaler.identity(inputs - 2),
    )
    return TrainedModel(parameters, Coding(coding, NumberCoding(("y",), Scaler.identity(1))))


def grey(png: bytes) -> list[list[int]]:
    with Image.open(io.BytesIO(png)) as picture:
        assert (picture.format, picture.mode) == ("PNG", "L")
        values: list[list[int]] = np.asarray(picture).tolist()
    return values


class TestNumbers:
    def test_pages_of_any_size_give_every_unit_once(self) -> None:
        model = a_model()
        x, norms = strongest_inputs(model.parameters.W[0])
        for limit in range(1, 9):
            units: list[dict[str, Any]] = []
            has_more = True
            while has_more:
                page = page_of_features(model, len(units) - 1, limit)
                assert 1 <= len(page["data"]) <= limit
                units += page["data"]
                has_more = page["has_more"]
            assert [unit["unit"] for unit in units] == list(range(7))
            assert [unit["values"] for unit in units] == x.tolist()
            assert [unit["norm"] for unit in units] == norms.tolist()
        assert page_of_features(model, -1, 1)["inputs"][-3:] == ["x13", "colour=blue", "colour=red"]
        assert page_of_features(model, 6, 1)["data"] == []

    def test_a_large_page_ends_early(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(features, "LARGEST_ANSWER", 16 * 3)
        page = page_of_features(a_model(), -1, 100)
        assert (len(page["data"]), page["has_more"]) == (3, True)
        monkeypatch.setattr(features, "LARGEST_ANSWER", 1)
        assert len(page_of_features(a_model(), -1, 100)["data"]) == 1

    def test_weights_of_no_finite_length_are_still_json(self) -> None:
        model = a_model(1, 4)
        model.parameters.W[0][...] = 1.7e308
        (unit,) = page_of_features(model, -1, 1)["data"]
        assert unit["norm"] is None
        np.testing.assert_allclose(unit["values"], [0.5] * 4)
        json.dumps(unit, allow_nan=False)


class TestPictures:
    def test_it_is_the_sheet_of_the_units_asked_for(self) -> None:
        model = a_model()
        x, _ = strongest_inputs(model.parameters.W[0])
        assert grey(picture_of_features(model, (), -1, 100, None, 1)) == sheet_of_tiles(x, 4, 1).tolist()
        assert grey(picture_of_features(model, (), 2, 3, 8, 2)) == sheet_of_tiles(x[3:6], 8, 2).tolist()
        assert len(grey(picture_of_features(model, (), -1, 1, None, None))) == 1 + 64 + 1

    @pytest.mark.parametrize(
        ("inputs", "after", "width", "code", "path"),
        [
            (15, -1, None, "tile_width_required", "width"),
            (15, -1, 4, "tile_width", "width"),
            (16, -1, 32, "tile_width", "width"),
            (16, 6, None, "no_such_unit", "after"),
        ],
    )
    def test_what_makes_no_picture_is_refused(
        self, inputs: int, after: int, width: int | None, code: str, path: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refused:
            picture_of_features(a_model(inputs=inputs), (), after, 100, width, None)
        assert (refused.value.code, [field.path for field in refused.value.fields]) == (code, [path])

    def test_its_size_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(features, "LARGEST_SHEET", 1000)
        small = grey(picture_of_features(a_model(), (), -1, 100, None, None))
        assert 500 < len(small) * len(small[0]) <= 1000
        with pytest.raises(TooLarge) as refused:
            picture_of_features(a_model(), (), -1, 100, None, 5)
        assert refused.value.code == "picture_too_large"


class TestColumnsLeftOut:
    TABLE = ("p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8")

    def model(self) -> TrainedModel:
        network = Network(7, (Layer(2, "sigmoid"), Layer(1, "linear")))
        parameters = Parameters.zeros(network, np.float64)
        parameters.W[0][...] = np.random.default_rng(0).normal(size=(2, 7))
        names = [name for name in self.TABLE if name not in ("p0", "p5")]
        coding = inputs_scaled(tuple(map(CodedColumn, names)), Scaler.identity(7))
        return TrainedModel(parameters, Coding(coding, NumberCoding(("y",), Scaler.identity(1))))

    @pytest.mark.parametrize("width", [None, 3, 9])
    def test_are_grey_where_the_picture_is_only_whole_with_them(self, width: int | None) -> None:
        model = self.model()
        x, _ = strongest_inputs(model.parameters.W[0])
        whole = np.insert(x, [0, 4], 0.0, axis=1)
        assert (whole[:, 0] == 0).all()
        assert (whole[:, 5] == 0).all()
        tiles = sheet_of_tiles(whole, width or 3, 1)
        assert grey(picture_of_features(model, self.TABLE, -1, 100, width, 1)) == tiles.tolist()

    def test_are_no_part_of_a_picture_that_is_whole_without_them(self) -> None:
        model = self.model()
        x, _ = strongest_inputs(model.parameters.W[0])
        assert grey(picture_of_features(model, self.TABLE, -1, 100, 7, 1)) == sheet_of_tiles(x, 7, 1).tolist()
        with pytest.raises(InvalidRequest, match="7 inputs"):
            picture_of_features(model, (), -1, 100, None, 1)


@pytest.mark.parametrize(
    ("accept", "png"),
    [
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("image/png", True),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", True),
        ("text/html, application/xhtml+xml, image/avif, image/webp, image/png, image/svg+xml, */*;q=0.8", True),
        ("image/png;q=0.4, application/json;q=0.5", False),
        ("application/json;q=0.4, IMAGE/PNG ; q=0.5", True),
        ("image/*, image/png;q=0, application/json;q=0.1", False),
        ("image/png;q=nonsense, application/json", False),
        ("text/csv", False),
    ],
)
def test_the_accept_header_chooses(accept: str, png: bool) -> None:
    assert prefers_png(accept) is png


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_route_gives_both_forms(service: Service) -> None:
    rng = np.random.default_rng(0)
    dataset = service.upload_arrays(x=rng.normal(size=(20, 4)), y=rng.normal(size=20))
    job = service.train(
        {
            "dataset_id": dataset["id"],
            "targets": ["y"],
            "network": {"layers": [{"units": 3}, {"activation": "linear"}]},
            "training": {"preset": "tutorial", "iterations": 1, "init": "uniform"},
        }
    )
    address = f"/v1/models/{job['model_id']}/features"
    W = service.weights(job["model_id"])["W1"]
    answer = service.api.get(address)
    assert answer.headers["vary"] == "Accept"
    np.testing.assert_allclose(
        [unit["values"] for unit in answer.json()["data"]], W / np.sqrt((W**2).sum(axis=1, keepdims=True)), rtol=1e-12
    )
    assert answer.json()["inputs"] == ["x_1", "x_2", "x_3", "x_4"]
    pictures = [
        service.api.get(address, params={"format": "png"}),
        service.api.get(address, headers={"accept": "image/png"}),
    ]
    for picture in pictures:
        assert picture.headers["content-type"] == "image/png"
    assert pictures[0].content == pictures[1].content
    assert service.api.get(address, params={"format": "json"}, headers={"accept": "image/png"}).json() == answer.json()
    assert service.api.get("/v1/models/mdl_none/features").status_code == 404
