"""Places with postcodes that this platform does not serve, and who to ask there. Pure.

    elsewhere("BT1 5GS")  # Northern Ireland
    elsewhere("LS1 4AP")  # None

The first letters of a postcode tell; no directory is needed. A British Forces number (BFPO 140) has no postcode's form.
"""

import re
from dataclasses import dataclass

from chassis.cleaning import LONGEST_CODE, compact
from chassis.errors import Text


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A place outside Great Britain. `reason` is that of a refusal; `told` says where it is and who to ask."""

    reason: str
    told: Text


NORTHERN_IRELAND = Elsewhere(
    reason="NORTHERN_IRELAND",
    told=Text(
        en="is in Northern Ireland, which this service does not cover. Who to ask: the Social Security Agency there; about"
        " rent the Northern Ireland Housing Executive (tenants), about rates Land & Property Services (owner-occupiers)",
        cy="mae yng Ngogledd Iwerddon, nad yw'r gwasanaeth hwn yn ei chwmpasu. Pwy i'w holi: yr Asiantaeth Nawdd"
        " Cymdeithasol yno; am rent y Northern Ireland Housing Executive (tenantiaid), am drethi Land & Property"
        " Services (perchen-feddianwyr)",
    ),
)
_ISLE_OF_MAN = Elsewhere(
    reason="ISLE_OF_MAN",
    told=Text(
        en="is in the Isle of Man, which this service does not cover. Who to ask: the Social Security Division of the Isle"
        " of Man Treasury",
        cy="mae yn Ynys Manaw, nad yw'r gwasanaeth hwn yn ei chwmpasu. Pwy i'w holi: Is-adran Nawdd Cymdeithasol Trysorlys"
        " Ynys Manaw",
    ),
)
_JERSEY = Elsewhere(
    reason="CHANNEL_ISLANDS",
    told=Text(
        en="is in Jersey, which this service does not cover. Who to ask: Customer and Local Services in Jersey",
        cy="mae yn Jersey, nad yw'r gwasanaeth hwn yn ei chwmpasu. Pwy i'w holi: Customer and Local Services yn Jersey",
    ),
)
_GUERNSEY = Elsewhere(
    reason="CHANNEL_ISLANDS",
    told=Text(
        en="is in Guernsey or its islands, which this service does not cover. Who to ask: Employment & Social Security in"
        " Guernsey",
        cy="mae yn Guernsey neu ei hynysoedd, nad yw'r gwasanaeth hwn yn eu cwmpasu. Pwy i'w holi: Employment & Social"
        " Security yn Guernsey",
    ),
)
_FORCES = Elsewhere(
    reason="BFPO",
    told=Text(
        en="is a British Forces post office, which no council serves. Ask for the address in Great Britain. Who to ask"
        " where there is none: the unit's welfare officer",
        cy="swyddfa bost Lluoedd Prydain ydyw, nad oes cyngor yn ei gwasanaethu. Gofynnwch am y cyfeiriad ym Mhrydain Fawr."
        " Pwy i'w holi os nad oes un: swyddog lles yr uned",
    ),
)
_BY_AREA = {"BT": NORTHERN_IRELAND, "IM": _ISLE_OF_MAN, "JE": _JERSEY, "GY": _GUERNSEY, "BF": _FORCES}
REASONS = frozenset(place.reason for place in _BY_AREA.values())
_AREA = re.compile(r"(BT|IM|JE|GY|BF)[0-9][0-9A-Z]*|(BF)PO[0-9]*")


def elsewhere(postcode: str) -> Elsewhere | None:
    """The place of a postcode, in any spacing and case, whose first letters are outside Great Britain; None for any other."""
    found = _AREA.fullmatch(compact(postcode)) if len(postcode) <= LONGEST_CODE else None
    return _BY_AREA[found[1] or found[2]] if found else None
