"""Calling back: the ladder of attempts, and the letter at its end."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.bank_holidays import Nation, is_bank_holiday
from chassis.errors import FailedPrecondition

LONDON = ZoneInfo("Europe/London")
PAUSES = (timedelta(hours=1), timedelta(hours=2), timedelta(hours=3))
"""After the first three attempts without an answer. After the fourth it is tried on the next working day, then by letter."""
LEASE = timedelta(minutes=15)
"""How long nobody else takes a call-back. In real time, as every lease."""
OPENS, CLOSES = time(8), time(20)
"""When people are called back, on working days: at night and at weekends nobody wants to be."""
_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


class CallBackState(StrEnum):
    """The state of a call-back."""

    WAITING = "WAITING"
    DUE = "DUE"
    TAKEN = "TAKEN"
    LETTER_DUE = "LETTER_DUE"
    LETTER_SENT = "LETTER_SENT"
    SETTLED = "SETTLED"
    GIVEN_UP = "GIVEN_UP"


class CallBackOutcome(StrEnum):
    """The outcome of an attempt that did not reach the person, or of the letter."""

    NO_ANSWER = "NO_ANSWER"
    NO_NUMBER = "NO_NUMBER"
    LETTER_SENT = "LETTER_SENT"
    NO_LETTER = "NO_LETTER"


_OF_LETTERS = frozenset({CallBackOutcome.LETTER_SENT, CallBackOutcome.NO_LETTER})


@dataclass(frozen=True, kw_only=True)
class CallBack:
    """A call-back that was promised in a call. `due` is when the next attempt, or the letter, is due."""

    call_id: UUID
    claim_ref: str
    language: str
    needs: tuple[str, ...]
    due: datetime
    attempts: int = 0
    is_letter: bool = False
    """Whether what is due is the letter."""
    letter_ended_time: datetime | None = None
    """When the letter was sent, or given up."""
    letter_ended_by: str | None = None
    is_given_up: bool = False
    taken_by: str | None = None
    taken_until: datetime | None = None
    is_settled: bool = False
    """Whether a later call on the claim began."""

    def state(self, *, now: datetime, real_now: datetime) -> CallBackState:
        """The state at a time of the platform's clock, and of the real one, by which a lease runs."""
        if self.is_settled:
            return CallBackState.SETTLED
        if self.letter_ended_time:
            return CallBackState.GIVEN_UP if self.is_given_up else CallBackState.LETTER_SENT
        if self.taken_until and self.taken_until > real_now:
            return CallBackState.TAKEN
        if self.is_letter:
            return CallBackState.LETTER_DUE
        return CallBackState.DUE if self.due <= now else CallBackState.WAITING

    def take(self, operator: str, *, now: datetime, real_now: datetime) -> "CallBack":
        """The call-back as this operator's, who may take it again. Raises FailedPrecondition unless it is due and free."""
        state = self.state(now=now, real_now=real_now)
        is_own = state is CallBackState.TAKEN and self.taken_by == operator
        if state not in (CallBackState.DUE, CallBackState.LETTER_DUE) and not is_own:
            raise _refusal(self, f"CALL_BACK_{state}", f"the call-back cannot be taken: it is {state}")
        return replace(self, taken_by=operator, taken_until=real_now + LEASE)

    def expect_taken_by(self, operator: str) -> None:
        """Raises FailedPrecondition unless the operator has it: once it is settled or ended, nobody has."""
        if self.is_settled:
            raise _refusal(self, "CALL_BACK_SETTLED", "a later call on the claim began")
        if self.letter_ended_time:
            raise _refusal(self, "CALL_BACK_LETTER_SENT", "the letter was sent, or given up")
        if self.taken_by != operator:
            raise _refusal(self, "CALL_BACK_NOT_TAKEN", "take the call-back before you record what came of it")

    def record(self, outcome: CallBackOutcome, *, operator: str, at: datetime) -> "CallBack":
        """The call-back after an attempt, or after its letter. Raises FailedPrecondition where the outcome does not fit."""
        self.expect_taken_by(operator)
        if (outcome in _OF_LETTERS) != self.is_letter:
            if self.is_letter:
                raise _refusal(self, "CALL_BACK_LETTER_DUE", "a letter is due, not a call")
            raise _refusal(self, "NO_LETTER_DUE", "no letter is due yet")
        free = replace(self, taken_by=None, taken_until=None)
        if self.is_letter:
            given_up = outcome is CallBackOutcome.NO_LETTER
            return replace(free, letter_ended_time=at, letter_ended_by=operator, is_given_up=given_up)
        tried = replace(free, attempts=self.attempts + 1)
        if outcome is CallBackOutcome.NO_NUMBER or tried.attempts > len(PAUSES) + 1:
            return replace(tried, is_letter=True, due=at)
        return replace(tried, due=_next_attempt(tried.attempts, at))


def in_opening_hours(moment: datetime) -> datetime:
    """The first moment from this one on at which people are called back, in UTC."""
    local = moment.astimezone(LONDON)
    if _is_working_day(local.date()) and local.time() < CLOSES:
        return max(moment.astimezone(UTC), _at(local.date(), OPENS))
    return _at(_next_working_day(local.date()), OPENS)


def _next_attempt(attempts: int, at: datetime) -> datetime:
    if attempts <= len(PAUSES):
        return in_opening_hours(at + PAUSES[attempts - 1])
    local = at.astimezone(LONDON)
    return in_opening_hours(_at(_next_working_day(local.date()), local.time()))


def _next_working_day(day: date) -> date:
    following = day + _ONE_DAY
    return following if _is_working_day(following) else _next_working_day(following)


def _is_working_day(day: date) -> bool:
    return day.weekday() < _SATURDAY and not is_bank_holiday(day, Nation.ENGLAND)


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=LONDON).astimezone(UTC)


def _refusal(call_back: CallBack, reason: str, message: str) -> FailedPrecondition:
    metadata = {"call_id": str(call_back.call_id), "claim_ref": call_back.claim_ref}
    return FailedPrecondition(reason, message, metadata=metadata)
