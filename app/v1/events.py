"""`/v1/jobs/{job_id}/events` and `/v1/events`: jobs followed live, as server-sent events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status
from fastapi.exceptions import RequestValidationError

from app.access.dependencies import CanRead
from app.access.state import IDENTIFY
from app.errors import responses
from app.streams import event_ids
from app.streams.event_ids import NoSuchPlace
from app.streams.hub import Hub, Permission
from app.streams.listening import FEWEST_POINTS, MOST_POINTS, NamedStream, ProjectStream, Stream, Thinning
from app.v1.parameters import ID_PATTERN, IdPath
from backprop_client.wire.events import LAST_EVENT_ID, EventName
from domain.access.projects import Project
from domain.jobs import following
from domain.jobs.following import Place
from infra.database import Database
from infra.errors import NotFound, TooMany

router = APIRouter(prefix="/v1", tags=["jobs"])

MOST_JOBS = 100
"""Jobs. A stream follows no more that are named: the id of each of its events has a place in each."""

EVENT_SCHEMA = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": list(get_args(EventName))},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {
                "anyOf": [
                    {"$ref": f"#/components/schemas/{name}"} for name in ("JobOut", "CostBatch", "Transition", "End")
                ]
            },
        },
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    },
}
"""An event of a stream, in the form of OpenAPI 3.2, which is FastAPI's own for streams."""

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events named job, cost, transition and end. Their data is JSON: JobOut, CostBatch, Transition "
        "and End.",
        "content": {"text/event-stream": {"itemSchema": EVENT_SCHEMA}},
    },
    204: {"description": "All of these jobs have ended, and the client has seen everything: it need not come back."},
}

Read = TypeVar("Read")

LastEventId = Annotated[
    str | None,
    Header(
        alias=LAST_EVENT_ID,
        max_length=2**15,
        description="The id of the last event seen. The stream goes on behind it.",
    ),
]


async def _thinning(
    points: Annotated[
        int | None,
        Query(
            ge=FEWEST_POINTS,
            le=MOST_POINTS,
            description="Thin the costs that are there already to at most so many; extremes are kept.",
        ),
    ] = None,
    max_rate: Annotated[
        int | None,
        Query(ge=1, le=1_000_000, description="Thin costs so that at most so many of a job come in a second."),
    ] = None,
) -> Thinning:
    return Thinning(points, max_rate)


async def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.streams
    return hub


async def _permission(request: Request, access: CanRead) -> Permission:
    return Permission(access, getattr(request.state, IDENTIFY))


ThinningDep = Annotated[Thinning, Depends(_thinning)]
HubDep = Annotated[Hub, Depends(_hub)]
PermissionDep = Annotated[Permission, Depends(_permission)]


@router.get(
    "/jobs/{job_id}/events",
    responses={**EVENTS, **responses(NotFound, TooMany)},
    response_class=Response,
    operation_id="jobs_events",
)
async def follow_job(
    job_id: IdPath,
    permission: PermissionDep,
    hub: HubDep,
    thinning: ThinningDep,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a job live: its costs, its steps and its end, as server-sent events.

    Without `Last-Event-ID` all that there is comes first. The stream ends with the job.
    """
    return await _named(hub, permission, [job_id], thinning, last_event_id)


@router.get(
    "/events",
    responses={**EVENTS, **responses(NotFound, TooMany)},
    response_class=Response,
    operation_id="events_stream",
)
async def follow_jobs(
    permission: PermissionDep,
    hub: HubDep,
    thinning: ThinningDep,
    job: Annotated[
        list[Annotated[str, Query(pattern=ID_PATTERN)]] | None,
        Query(max_length=MOST_JOBS, description="The jobs to follow; none for all of the project."),
    ] = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow several jobs with one stream, as server-sent events.

    Jobs that are named are told from their beginning, and the stream ends when all of them have ended. Without names
    it is about what happens from now on to all jobs of the project, and does not end.
    """
    if job:
        return await _named(hub, permission, sorted(set(job)), thinning, last_event_id)
    return await _of_project(hub, permission, thinning, last_event_id)


async def _named(
    hub: Hub, permission: Permission, job_ids: list[str], thinning: Thinning, last_event_id: str | None
) -> Response:
    places = dict.fromkeys(job_ids, Place())
    if last_event_id:
        places = _understood(lambda: event_ids.named_places(last_event_id, job_ids))
    stream = NamedStream(hub, thinning)

    async def begin() -> None:
        await stream.begin(places)
        for job_id in job_ids:
            situation = stream.listener(job_id).feed.view.situation
            if situation is None or situation.job.project != permission.access.project:
                raise NotFound("job_not_found", f"There is no job {job_id}.")

    hub.take_a_place(permission.access.key_id)
    try:
        await begin()
        if stream.is_done:
            _give_up(hub, permission, stream)
            return Response(status_code=status.HTTP_204_NO_CONTENT)
        return hub.answer(stream, permission)
    except BaseException:
        _give_up(hub, permission, stream)
        raise


async def _of_project(hub: Hub, permission: Permission, thinning: Thinning, last_event_id: str | None) -> Response:
    project = permission.access.project
    hub.take_a_place(permission.access.key_id)
    stream: Stream | None = None
    try:
        if last_event_id:
            number, places = _understood(lambda: event_ids.project_places(last_event_id))
            places, covered = await hub.reads.run(_still_there, hub.reads.database, project, number, places)
        else:
            number, places, covered = await hub.reads.run(_from_now_on, hub.reads.database, project)
        stream = ProjectStream(hub, thinning, project, number, covered)
        await stream.begin(places)
        return hub.answer(stream, permission)
    except BaseException:
        _give_up(hub, permission, stream)
        raise


def _give_up(hub: Hub, permission: Permission, stream: Stream | None) -> None:
    """Follow nothing: the request is answered otherwise."""
    if stream is not None:
        stream.close()
    hub.give_back_a_place(permission.access.key_id)


def _from_now_on(database: Database, project: Project) -> tuple[int, dict[str, Place], dict[str, int]]:
    """The number of the newest event; the places of the jobs under way, and their sequence numbers up to that event."""
    with database.reading() as session:
        number = following.newest_number(session)  # first: what happens meanwhile is past it
        places = following.under_way(session, project)
        return number, places, following.sequences_up_to(session, number, places)


def _still_there(
    database: Database, project: Project, number: int, places: dict[str, Place]
) -> tuple[dict[str, Place], dict[str, int]]:
    """The places of the project's jobs among these, and their sequence numbers up to the event of that number."""
    with database.reading() as session:
        job_ids = following.those_of(session, project, list(places))
        covered = following.sequences_up_to(session, number, job_ids)
        return {job_id: places[job_id] for job_id in job_ids}, covered


def _understood(read: Callable[[], Read]) -> Read:
    """What an event's id says. Raises RequestValidationError: it says nothing, or belongs to another stream."""
    try:
        return read()
    except NoSuchPlace:
        message = "this is no id of an event of this stream; without it the stream starts anew"
        raise RequestValidationError(
            [{"type": "value_error", "loc": ("header", LAST_EVENT_ID), "msg": message, "input": None}]
        ) from None
