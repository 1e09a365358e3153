"""How many operators each quarter of an hour needed: what intake says of the call centre's lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from chassis.clock import LONDON
from cms_local import keys
from cms_local.doors import Doors
from cms_local.layout import Layout

_PATIENCE_SECONDS = 10.0
COLUMNS = ("quarter", "offered", "answered", "abandoned", "in_target", "operators", "fixed_script")


@dataclass(frozen=True, kw_only=True)
class Staffing:
    """The answer to GetLines, for a table."""

    lines: dict[str, Any]

    def rows(self) -> list[tuple[str, ...]]:
        """Each quarter of an hour in which a call was offered, by London's clock."""
        return [_row(part) for part in self.lines["quarterHours"] if part["counts"]["offered"]]

    def summary(self) -> str:
        """The handling time and the target that the operators are reckoned by."""
        handling, target = self.lines["handlingTime"], self.lines["serviceTarget"]
        share = f"{target['share']:.0%} of calls within {target['seconds']} s"
        fixed = self.lines["fixedScriptSeconds"] / 60
        if not handling["calls"]:
            return f"{share}; no call was measured in the last seven days; fixed script {fixed:.0f} min"
        parts = ", ".join(f"{name} {handling[f'{key}Seconds'] / 60:.1f}" for name, key in _PARTS)
        whole = handling["seconds"] / 60
        return f"{share}; {whole:.1f} min a call ({parts}) over {handling['calls']} calls; fixed script {fixed:.0f} min"


_PARTS = (("talk", "talk"), ("hold", "hold"), ("wrap-up", "wrapUp"))


def ask(layout: Layout, *, since: datetime, until: datetime) -> Staffing:
    """Asks intake for the lines of a period of seven days at most. Raises Refused, httpx.TransportError."""
    token = keys.issue(layout.keys(""), "SERVICE_MANAGER", subject="CMS00001")
    body = {"from": _text(since), "until": _text(until)}
    with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        doors = Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)
        return Staffing(lines=doors.once("intake-svc", "GetLines", body, token=token))


def day_of(moment: datetime) -> tuple[datetime, datetime]:
    """The beginning and the end of the moment's day in London."""
    begin = moment.astimezone(LONDON).replace(hour=0, minute=0, second=0, microsecond=0)
    return begin, begin + timedelta(days=1)


def _row(part: dict[str, Any]) -> tuple[str, ...]:
    counts = part["counts"]
    start = datetime.fromisoformat(counts["start"]).astimezone(LONDON)
    within = counts["answeredWithinTarget"] / counts["answered"] if counts["answered"] else 0.0
    return (
        f"{start:%a %d %b %H:%M}",
        *(str(counts[name]) for name in ("offered", "answered", "abandoned")),
        f"{within:.0%}",
        str(part.get("operatorsNeeded", "–")),
        str(part["operatorsNeededByFixedScript"]),
    )


def _text(moment: datetime) -> str:
    return moment.isoformat()
