"""Structured logs in JSON on standard output. What is logged are references, never personal data."""

import logging
import sys

import structlog


def configure_logs(system: str) -> None:
    """Send every log line out as JSON under this system's name, those of the libraries as well."""

    def name_the_system(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"system": system, **event}

    shared: list[structlog.typing.Processor] = [
        name_the_system,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stdout)
    renderers: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=renderers))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
