"""A worker of Celery that does the job, with threads as the gateway; `python -m tests.transfers.by_celery` runs it."""

import os
from functools import cache

import celery

from tests.transfers.job import CREW, Job


def make_app(broker: str) -> celery.Celery:
    """The app with its task: a task is acknowledged when it is done, and goes back where its worker is lost."""
    app = celery.Celery("transfers", broker=broker)
    app.conf.update(
        task_acks_late=True, task_reject_on_worker_lost=True, task_ignore_result=True, worker_prefetch_multiplier=1
    )
    app.task(name="send", autoretry_for=(Exception,), max_retries=None)(send)
    return app


@cache
def _job() -> Job:
    return Job.from_environment()


def send(claim_ref: str, transfer_id: str) -> None:
    """The job of a claim."""
    _job().do(claim_ref, transfer_id)


if __name__ == "__main__":
    _job()
    options = [
        "worker",
        "--pool=threads",
        f"--concurrency={CREW}",
        "--loglevel=WARNING",
        "--without-gossip",
        "--without-mingle",
    ]
    make_app(os.environ["TRANSFERS_BROKER"]).worker_main(options)
