"""JSAPS, which pays Jobseeker's Allowance: two phases over the record link, and what is sent twice is paid twice."""

from legacy_gateway.config import Settings
from legacy_gateway.domain import Rules, System
from legacy_gateway.systems.deployed import Deployed
from legacy_gateway.systems.record_link import RecordLinkSystem

RULES = Rules(
    system=System.JSAPS,
    schemes=("JOBSEEKERS_ALLOWANCE",),
    phases=2,
    recognises_repeat=False,
    final_after_closing_seconds=12.0,
    withdraws_first_phase=True,
    withdrawn_code="ES0031",
)


def _connect(settings: Settings) -> RecordLinkSystem:
    return RecordLinkSystem.to(
        RULES, settings.jsaps_host, settings.jsaps_port, senders=settings.jsaps_senders, timeout=settings.reply_seconds
    )


SYSTEM = Deployed(rules=RULES, senders=lambda settings: settings.jsaps_senders, connect=_connect)
