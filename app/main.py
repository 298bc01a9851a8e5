"""The FastAPI application, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app.access.admission import Admission
from app.access.gate import Gate
from app.access.rates import RateLimiter
from app.access.upload_slots import UploadSlots
from app.deliveries.deliverer import Deliverer
from app.dependencies import Services
from app.edge.bodies import Bodies
from app.edge.heavy_work import CHECKS_AT_A_TIME, READS_AT_A_TIME, HeavyWork
from app.edge.request_form import RequestForm
from app.edge.security_headers import SecurityHeaders
from app.errors import add_error_handlers
from app.oip import inference
from app.openapi import complete_openapi
from app.pages.new_job import data as new_data
from app.routes import all_routes
from app.shortcuts import Shortcuts
from app.streams.hub import Hub
from app.v1 import predict, registered_predictions
from domain.datasets.reading.processes import FileReaders
from domain.datasets.upload_files import remove_abandoned_uploads
from domain.inference.statistics import InferenceStatistics
from domain.models.cache import ModelCache
from domain.registry.cache import RegistryCache
from infra.artifacts import ArtifactStore
from infra.bell import Bell
from infra.database import Database
from infra.queue import JobQueue, connect
from infra.settings import Settings

DESCRIPTION = """Train feed-forward neural networks by backpropagation and ask them for predictions.

Post a dataset, post a job, follow its cost J(W,b), ask the model. Every error answers with
`application/problem+json` and a stable `code`."""

STREAMED = frozenset({("POST", "/v1/datasets"), ("POST", new_data.UPLOAD)})
"""These requests' bodies are written to disk as they come, under a limit of their own."""

SHORTCUTS = (predict.SHORTCUT, *registered_predictions.SHORTCUTS, *inference.SHORTCUTS)


def create_app(settings: Settings, keyless_hosts: frozenset[str] = frozenset()) -> FastAPI:
    """The service over the database, the Redis and the artifacts that the settings name.

    Args:
        settings: of the service.
        keyless_hosts: under which names of its host it lets in requests without a key while no key has ever been
            made; only for a server that only this machine can reach.

    Nothing is connected to before the first request that needs it, so the API comes up (and says at ``/readyz``
    what is missing) even when the rest is still starting.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = Services(
            settings=settings,
            database=Database(settings.resolved_database_url, bell=Bell(settings)),
            queue=JobQueue(connect(settings.redis_url), settings.queue_name),
            artifacts=ArtifactStore(settings.resolved_artifacts_uri),
            upload_slots=UploadSlots(settings.max_uploads),
            readers=FileReaders(settings.max_readings),
            row_readers=FileReaders(settings.max_readings),
        )
        app.state.services = services
        remove_abandoned_uploads(settings)
        with suppress(OSError):  # a store that is away now is tidied up at another start
            services.artifacts.remove_abandoned()
        app.state.trained_models = ModelCache(services.database)
        app.state.registry = RegistryCache(services.database)
        app.state.inference_statistics = InferenceStatistics()
        app.state.heavy_reads = HeavyWork(settings.resolved_database_url, READS_AT_A_TIME)
        app.state.gradient_checks = HeavyWork(settings.resolved_database_url, CHECKS_AT_A_TIME)
        app.state.admission = Admission(services.database)
        app.state.rates = RateLimiter(settings)
        app.state.rates.start()
        app.state.streams = Hub(settings)
        deliverer = Deliverer(settings.resolved_database_url, settings.webhook_private_addresses)
        deliverer.start()
        yield
        deliverer.close()
        await app.state.streams.close()
        app.state.rates.close()
        await app.state.admission.close()
        app.state.trained_models.close()
        app.state.registry.close()
        app.state.heavy_reads.database.close()
        app.state.gradient_checks.database.close()
        services.database.close()
        services.queue.connection.close()

    app = FastAPIOffline(
        title="Backprop",
        description=DESCRIPTION,
        version=version("backprop"),
        routes=list(all_routes()),
        lifespan=lifespan,
        redoc_url=None,
        openapi_tags=[
            {"name": name} for name in ("datasets", "networks", "jobs", "models", "predictions", "registry", "webhooks")
        ],
    )
    # What is added last comes first: all others see requests in one form only, the headers are on every answer, and the
    # gate is before any reading of a body.
    app.add_middleware(Bodies, settings=settings, streamed=STREAMED)
    app.add_middleware(Gate, keyless_hosts=keyless_hosts)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestForm)
    add_error_handlers(app)
    complete_openapi(app)
    app.state.find_answerer = Shortcuts(app, SHORTCUTS, Gate(app, keyless_hosts)).answerer
    return app
