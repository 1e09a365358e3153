"""The notifier's threads: one looks at claims, some send, some ask. Each calls out only between transactions."""

from collections.abc import Callable, Sequence

from chassis import clock, crash, logs
from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from chassis.workers import Turns, Worker
from la_notifier.clients import Claims, Councils
from la_notifier.config import Settings, read_secrets
from la_notifier.domain import ClaimFacts, NotToldReason, missing_facts, sought
from la_notifier.service import looks, places, sending
from la_notifier.service.sending import FIRST_CONTACT_TO_SENT, Pace, Sending
from la_notifier.store import claims as claim_store
from la_notifier.store.claims import Look
from la_notifier.store.notices import Leased

_PAUSE_SECONDS = 0.25
_LOOK_LEASE_SECONDS = 60.0
# So many, that an authority that hangs holds up only its own notices.
_SENDERS, _ASKERS = 3, 2


class Looker:
    """Looks at the claims of which something was heard."""

    def __init__(self, runtime: Runtime, claims: Claims, postcodes: Postcodes, pace: Pace) -> None:
        self._runtime = runtime
        self._claims = claims
        self._postcodes = postcodes
        self._pace = pace

    def step(self) -> bool:
        """Looks at one claim; gives whether there was one. Raises what kept it from being looked at, put off by then."""
        with self._runtime.database.transaction() as conn:
            look = claim_store.claim_look(conn, lease_seconds=_LOOK_LEASE_SECONDS)
        if look is None:
            return False
        crash.point("look.after_lease")
        try:
            self._look(look)
        except Exception:
            with self._runtime.database.transaction() as conn:
                claim_store.postpone_look(conn, look, seconds=self._pace.retry(look.attempts))
            raise
        return True

    def _look(self, look: Look) -> None:
        facts = self._claims.facts(look.claim_ref)
        vault = self._runtime.vault
        if missing := missing_facts(facts):
            self._put_off(look, facts, missing)
            return
        if not sought(facts):
            with self._runtime.database.transaction() as conn:
                looks.save_no_notice(conn, vault, look, reason=None, intention_on=None)
            return
        place = places.authority_or_reason(self._postcodes, facts.postcode)
        intention_on = looks.intention_day(self._claims, look, facts) or clock.today()
        with self._runtime.database.transaction() as conn:
            if isinstance(place, NotToldReason):
                looks.save_no_notice(conn, vault, look, reason=place, intention_on=intention_on)
            else:
                looks.save_notice(conn, vault, look, facts=facts, authority=place, intention_on=intention_on)

    def _put_off(self, look: Look, facts: ClaimFacts, missing: Sequence[str]) -> None:
        intention_on = looks.intention_day(self._claims, look, facts)
        seconds = self._pace.retry(look.attempts)
        with self._runtime.database.transaction() as conn:
            looks.put_off(conn, look, intention_on=intention_on, seconds=seconds)
        logs.get().info("look put off", claim_ref=look.claim_ref, fields=list(missing))


class Sender:
    """Sends what waits for authorities that have the API, and asks them what became of it."""

    def __init__(self, runtime: Runtime, councils: Councils, pace: Pace, *, pause_seconds: float) -> None:
        """`pause_seconds` is the pause between two looks for what is due, when nothing is."""
        self._runtime = runtime
        self._councils = councils
        self._pace = pace
        self._to_send, self._to_ask = Turns(pause_seconds=pause_seconds), Turns(pause_seconds=pause_seconds)

    def send(self) -> bool:
        """Sends one version; gives whether there was one. Raises what kept it from being sent, put off by then."""
        taken = self._to_send.find(self._take_to_send)
        if taken is None:
            return False
        crash.point("notice.before_sending")
        try:
            self._send(taken)
        except Exception:
            with self._runtime.database.transaction() as conn:
                sending.put_off(conn, taken, self._pace)
            raise
        return True

    def _take_to_send(self) -> Sending | None:
        with self._runtime.database.transaction() as conn:
            return sending.take_next(conn)

    def _take_to_ask(self) -> Leased | None:
        with self._runtime.database.transaction() as conn:
            return sending.take_next_to_ask(conn)

    def _send(self, taken: Sending) -> None:
        answer = self._councils.send(taken.opened(self._runtime.vault))
        crash.point("notice.after_answer")
        with self._runtime.database.transaction() as conn:
            first_contact_time = sending.settle_sending(conn, taken, answer, self._pace)
        crash.point("notice.after_storing")
        if first_contact_time is not None:
            FIRST_CONTACT_TO_SENT.observe((clock.now() - first_contact_time).total_seconds())
        logs.get().info(
            "notice tried",
            notice_id=str(taken.leased.notice_id),
            version=taken.leased.version,
            authority_code=taken.leased.authority_code,
            outcome=answer.result,
            code=answer.status,
        )

    def ask(self) -> bool:
        """Asks about one version; gives whether there was one."""
        leased = self._to_ask.find(self._take_to_ask)
        if leased is None:
            return False
        held = self._councils.ask(leased.authority_code, str(leased.notice_id))
        crash.point("asking.after_answer")
        with self._runtime.database.transaction() as conn:
            sending.settle_asking(conn, leased, held, self._pace)
        return True


def workers(settings: Settings, claims_of: Callable[[Runtime], Claims], runtime: Runtime) -> Sequence[Worker]:
    """All threads of the notifier. Raises ValueError or OSError where the councils' secrets cannot be read."""
    pace = Pace(time_scale=settings.time_scale, poll_seconds=settings.poll_seconds)
    postcodes = runtime.closing.enter_context(Postcodes(settings.postcodes_file))
    councils = Councils(settings.councils_url, read_secrets(settings.council_secrets_file))
    runtime.closing.callback(councils.close)
    looker = Looker(runtime, claims_of(runtime), postcodes, pace)
    sender = Sender(runtime, councils, pace, pause_seconds=_PAUSE_SECONDS)
    return [
        Worker("notices", looker.step, pause_seconds=_PAUSE_SECONDS),
        *(Worker(f"sender-{number}", sender.send, pause_seconds=0) for number in range(1, _SENDERS + 1)),
        *(Worker(f"asker-{number}", sender.ask, pause_seconds=0) for number in range(1, _ASKERS + 1)),
    ]
