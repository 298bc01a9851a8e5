"""Commands about one model: ask it, and take it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backprop_client.wire.models import UnknownCategories
from cli.shell.printing import as_json
from cli.shell.speaking import ApiKey, AsJson, Url, speaking

ModelName = Annotated[
    str, typer.Argument(help="A model's id, or a registered one: digits@champion, digits@v3, digits@latest.")
]


def predict(
    model: ModelName,
    data: Annotated[str, typer.Argument(help="A file with rows, of any size, or the id of a dataset.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write: .csv, .parquet or .arrows.")],
    inputs: Annotated[bool, typer.Option(help="Whether the rows stand beside their predictions.")] = True,
    as_missing: Annotated[
        bool, typer.Option("--as-missing", help="Let categories count as missing that the model does not know.")
    ] = False,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Predict for the rows of a file, and write the predictions down."""
    with speaking(url, api_key) as client:
        asked = client.model(model)
        categories: UnknownCategories = "as_missing" if as_missing else "refuse"
        written = asked.predict_file(data, output, with_inputs=inputs, unknown_categories=categories)
        if as_json_:
            as_json({"model_id": asked.id, "output": str(written)})
        else:
            typer.echo(str(written))


def export(
    model: ModelName,
    onnx: Annotated[bool, typer.Option("--onnx", help="As an ONNX file, from columns to answers.")] = False,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="As an MLflow folder in a zip file.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="The weights alone, as safetensors.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Its model card, in Markdown.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write. [default: the model's id in this folder]")
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    as_json_: AsJson = False,
) -> None:
    """Write a model down in one form."""
    wanted = {".onnx": onnx, ".zip": mlflow, ".safetensors": weights, ".md": card}
    if sum(wanted.values()) != 1:
        raise typer.BadParameter("Give one of --onnx, --mlflow, --weights and --card.")
    (suffix,) = (each for each, is_wanted in wanted.items() if is_wanted)
    with speaking(url, api_key) as client:
        model_id = client.model(model).id
        path = output or Path(f"{model_id}{suffix}")
        if card:
            path.write_text(client.models.card(model_id))
        else:
            files = {".onnx": client.models.onnx, ".zip": client.models.mlflow, ".safetensors": client.models.weights}
            files[suffix](model_id).save(path)
        if as_json_:
            as_json({"model_id": model_id, "output": str(path)})
        else:
            typer.echo(str(path))
