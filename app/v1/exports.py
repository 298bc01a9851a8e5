"""A model in the forms that other programs and people take: `/v1/models/{id}/weights`, `/onnx`, `/mlflow`, `/card`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import HTMLResponse

from app.access.dependencies import CanRead
from app.dependencies import ArtifactsDep, TrainedModelsDep
from app.edge.heavy_work import HeavyReadsDep
from app.edge.media_types import negotiated
from app.errors import responses
from app.v1.parameters import IdPath
from domain.models.export.card.rendering import POLICY, as_html, as_markdown
from domain.models.export.making import Exporter
from infra.errors import Conflict, NotAcceptable, NotFound, NotInstalled, TooLarge

router = APIRouter(prefix="/v1/models", tags=["models"])

SAFETENSORS = "application/vnd.safetensors"
ONNX = "application/octet-stream"
"""ONNX has no registered type."""

ZIP = "application/zip"
MARKDOWN = "text/markdown"
HTML = "text/html"


def _exporter(
    access: CanRead, heavy: HeavyReadsDep, artifacts: ArtifactsDep, trained_models: TrainedModelsDep
) -> Exporter:
    return Exporter(heavy.database, artifacts, trained_models, access.project)


ExporterDep = Annotated[Exporter, Depends(_exporter)]


@router.get(
    "/{model_id}/weights",
    response_class=Response,
    responses={**responses(NotFound, TooLarge), 200: {"content": {SAFETENSORS: {}}}},
    operation_id="models_weights",
)
async def get_weights(model_id: IdPath, heavy: HeavyReadsDep, exporter: ExporterDep) -> Response:
    """The weights as safetensors: W1 (s_2, s_1), b1 (s_2,), W2, b2, … in the job's dtype.

    The file's metadata has all that a prediction needs besides: the network and the coding of the columns, as JSON.
    """
    return _file(await heavy.run(exporter.safetensors, model_id), SAFETENSORS, f"{model_id}.safetensors")


@router.get(
    "/{model_id}/onnx",
    response_class=Response,
    responses={**responses(NotFound, Conflict, TooLarge, NotInstalled), 200: {"content": {ONNX: {}}}},
    operation_id="models_onnx",
)
async def get_onnx(model_id: IdPath, heavy: HeavyReadsDep, exporter: ExporterDep) -> Response:
    """The model as an ONNX file, from columns to labels, as core operators of opset 21.

    One input a column, named as it. It has been run and compared with the model before it is answered.
    """
    return _file(await heavy.run(exporter.onnx, model_id), ONNX, f"{model_id}.onnx")


@router.get(
    "/{model_id}/mlflow",
    response_class=Response,
    responses={**responses(NotFound, Conflict, TooLarge, NotInstalled), 200: {"content": {ZIP: {}}}},
    operation_id="models_mlflow",
)
async def get_mlflow(model_id: IdPath, heavy: HeavyReadsDep, exporter: ExporterDep) -> Response:
    """The model as the zip of a folder that `mlflow.pyfunc.load_model` reads; the ONNX file is in it."""
    return _file(await heavy.run(exporter.mlflow, model_id), ZIP, f"{model_id}.zip")


@router.get(
    "/{model_id}/card",
    response_class=Response,
    responses={**responses(NotFound, NotAcceptable), 200: {"content": {MARKDOWN: {}, HTML: {}}}},
    operation_id="models_card",
)
async def get_card(
    model_id: IdPath,
    heavy: HeavyReadsDep,
    exporter: ExporterDep,
    accept: Annotated[str | None, Header()] = None,
) -> Response:
    """A model card: data, network, training, metrics beside the trivial model's, importance, limits.

    As Markdown, or as an HTML page if `Accept` would rather have that.
    """
    kind = negotiated(accept, (MARKDOWN, HTML))
    headers = {"Vary": "Accept"}

    def written() -> Response:
        card = exporter.card(model_id)
        if kind == HTML:
            return HTMLResponse(as_html(card), headers={**headers, "Content-Security-Policy": POLICY})
        return Response(as_markdown(card), media_type=MARKDOWN, headers=headers)

    return await heavy.run(written)


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
