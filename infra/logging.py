"""One way to log for the API and the workers: text for people, JSON for collectors."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict

from infra.settings import Settings


def configure_logging(settings: Settings, number: int | None = None) -> None:
    """Send every log line, the libraries' own included, to standard error in the settings' format and level.

    Args:
        settings: of the service.
        number: of this process, where several do the same and write to one place: each line then names it.
    """

    def name_the_process(_logger: object, _method: str, event: EventDict) -> EventDict:
        return event if number is None else {**event, "process": number}

    shared: list[structlog.typing.Processor] = [
        name_the_process,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.log_format == "json":
        last: list[structlog.typing.Processor] = [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
    else:
        # Plain, since the pretty form shows the values of variables, which nobody should find in a log.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in ("uvicorn", "uvicorn.error", "rq.worker"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for chatty in ("alembic", "httpx2", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
