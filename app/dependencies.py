"""What routes are handed: the parts of the service.

All are coroutines that wait for nothing: FastAPI takes every other dependency into a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.access.upload_slots import UploadSlots
from domain.datasets.reading.processes import FileReaders
from domain.inference.statistics import InferenceStatistics
from domain.models.cache import ModelCache
from domain.registry.cache import RegistryCache
from infra.artifacts import ArtifactStore
from infra.database import Database
from infra.queue import JobQueue
from infra.settings import Settings


@dataclass(frozen=True)
class Services:
    """The parts that one process of the API opens once and all its requests share.

    Rows to predict have readers of their own: they do not wait for uploads, which may be a hundred times larger.
    """

    settings: Settings
    database: Database
    queue: JobQueue
    artifacts: ArtifactStore
    upload_slots: UploadSlots
    readers: FileReaders
    row_readers: FileReaders


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _settings(services: Annotated[Services, Depends(_services)]) -> Settings:
    return services.settings


async def _database(services: Annotated[Services, Depends(_services)]) -> Database:
    return services.database


async def _queue(services: Annotated[Services, Depends(_services)]) -> JobQueue:
    return services.queue


async def _trained_models(request: Request) -> ModelCache:
    cache: ModelCache = request.app.state.trained_models
    return cache


async def _registry(request: Request) -> RegistryCache:
    cache: RegistryCache = request.app.state.registry
    return cache


async def _inference_statistics(request: Request) -> InferenceStatistics:
    statistics: InferenceStatistics = request.app.state.inference_statistics
    return statistics


async def _artifacts(services: Annotated[Services, Depends(_services)]) -> ArtifactStore:
    return services.artifacts


ServicesDep = Annotated[Services, Depends(_services)]
SettingsDep = Annotated[Settings, Depends(_settings)]
DatabaseDep = Annotated[Database, Depends(_database)]
QueueDep = Annotated[JobQueue, Depends(_queue)]
TrainedModelsDep = Annotated[ModelCache, Depends(_trained_models)]
RegistryDep = Annotated[RegistryCache, Depends(_registry)]
ArtifactsDep = Annotated[ArtifactStore, Depends(_artifacts)]
InferenceStatisticsDep = Annotated[InferenceStatistics, Depends(_inference_statistics)]
