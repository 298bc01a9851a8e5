"""What the forms of a dataset's page do to it: say something of it, or delete it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from app.access.dependencies import CanAdminister, CanTrain
from app.dependencies import ArtifactsDep, DatabaseDep
from app.pages.captions import caption_said
from app.pages.forms import FormDep
from app.v1.parameters import IdPath
from domain import captions
from domain.datasets import rows as datasets
from domain.datasets.intake import delete_dataset

router = APIRouter(prefix="/datasets")


@router.post("/{dataset_id}/caption")
def caption_dataset(dataset_id: IdPath, form: FormDep, access: CanTrain, database: DatabaseDep) -> Response:
    """Change the dataset's name, tags and note to what the form says."""
    patch = caption_said(form)
    with database.writing() as session:
        captions.change(session, datasets.locked(session, access.project, dataset_id), patch)
    return RedirectResponse(f"/datasets/{dataset_id}", HTTPStatus.SEE_OTHER)


@router.post("/{dataset_id}/delete")
def remove_dataset(
    dataset_id: IdPath, _form: FormDep, access: CanAdminister, database: DatabaseDep, artifacts: ArtifactsDep
) -> Response:
    """Delete the dataset; refused while a queued or running job needs it."""
    delete_dataset(access.project, dataset_id, database, artifacts)
    return RedirectResponse("/datasets", HTTPStatus.SEE_OTHER)
