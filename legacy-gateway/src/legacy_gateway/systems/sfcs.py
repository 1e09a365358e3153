"""SFCS, which pays crisis loans of the Social Fund: a record for each application, over the record link."""

from legacy_gateway.config import Settings
from legacy_gateway.domain import Rules, System
from legacy_gateway.systems.deployed import Deployed
from legacy_gateway.systems.record_link import RecordLinkSystem

RULES = Rules(
    system=System.SFCS, schemes=("CRISIS_LOAN",), recognises_repeat=True, in_flight=8, pays_decided_amount=True
)


def _connect(settings: Settings) -> RecordLinkSystem:
    return RecordLinkSystem.to(
        RULES, settings.sfcs_host, settings.sfcs_port, senders=settings.sfcs_senders, timeout=settings.reply_seconds
    )


SYSTEM = Deployed(rules=RULES, senders=lambda settings: settings.sfcs_senders, connect=_connect)
