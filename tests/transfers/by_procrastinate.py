"""A worker of Procrastinate that does the job; `python -m tests.transfers.by_procrastinate` runs it."""

import os
from functools import cache

import procrastinate

from tests.transfers.job import CREW, Job


def make_app() -> procrastinate.App:
    """The app with its task."""
    connector = procrastinate.PsycopgConnector(conninfo=os.environ["TRANSFERS_DATABASE"])
    app = procrastinate.App(connector=connector)
    app.task(name="send", retry=True)(send)
    return app


@cache
def _job() -> Job:
    return Job.from_environment()


def send(claim_ref: str, transfer_id: str) -> None:
    """The job of a claim."""
    _job().do(claim_ref, transfer_id)


if __name__ == "__main__":
    _job()
    make_app().run_worker(concurrency=CREW)
