"""Processes that send: which of them are known to be gone, so that what they may have sent can be sent again."""

from dataclasses import dataclass

from chassis.errors import Unavailable


@dataclass(frozen=True, kw_only=True)
class ProcessName:
    """A process, as no other is named: by the boot of its machine and its space of process ids, its id and its start.

    `machine` is empty where that cannot be told.
    """

    machine: str
    pid: int
    started: str


@dataclass(frozen=True, kw_only=True)
class MissingSender:
    """A process whose lock nobody holds.

    `lock_counts`: since the lock was last seen the server has not been restarted, and nobody has ended a session of it.
    """

    sender_id: int
    process: ProcessName
    lock_counts: bool

    def is_gone(self, *, has_ended: bool, was_missing: bool) -> bool:
        """Whether the process is known to be gone, and its connections closed with it.

        `has_ended`: its machine says so. `was_missing`: nobody held its lock a second ago either, so that the loss of the
        lock would show by now in what `lock_counts` goes by.
        """
        return has_ended or (self.lock_counts and was_missing)


class NotPresent(Unavailable):
    """This process has no lock by which others would know that it lives: it sends nothing."""
