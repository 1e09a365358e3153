"""ISCS, which pays Income Support: a record for each claim, over the record link."""

from legacy_gateway.config import Settings
from legacy_gateway.domain import Rules, System
from legacy_gateway.systems.deployed import Deployed
from legacy_gateway.systems.record_link import RecordLinkSystem

RULES = Rules(system=System.ISCS, schemes=("INCOME_SUPPORT",), recognises_repeat=True, in_flight=8)


def _connect(settings: Settings) -> RecordLinkSystem:
    return RecordLinkSystem.to(
        RULES, settings.iscs_host, settings.iscs_port, senders=settings.iscs_senders, timeout=settings.reply_seconds
    )


SYSTEM = Deployed(rules=RULES, senders=lambda settings: settings.iscs_senders, connect=_connect)
