"""The load of offices as scheduling-svc tells it, for tables and pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from cms_local import keys
from cms_local.doors import Doors
from cms_local.layout import Layout

_PATIENCE_SECONDS = 30.0
_PAGE = 100
COLUMNS = ("office", "day", "slots", "taken", "forecast", "elsewhere", "breaches", "likely")


@dataclass(frozen=True, kw_only=True)
class OfficeWeek:
    """The days of an office, in order, as GetOfficeLoad gives them."""

    name: str
    days: Sequence[dict[str, Any]]

    @property
    def breaches(self) -> float:
        """Claimants of these days who cannot be seen in time, expected."""
        return sum(float(day["expectedBreaches"]) for day in self.days)

    @property
    def utilisation(self) -> float:
        """The share of its slots that are taken; 0 without slots."""
        capacity = sum(day["capacity"] for day in self.days)
        return sum(day["booked"] for day in self.days) / capacity if capacity else 0.0

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Its days for a table."""
        for day in self.days:
            yield (
                self.name,
                f"{day_of(day):%a %d %b}",
                *(str(day[name]) for name in ("capacity", "booked")),
                *(f"{day[name]:.1f}" for name in ("forecast", "expectedElsewhere", "expectedBreaches")),
                "yes" if day["breachExpected"] else "",
            )


def day_of(day: dict[str, Any]) -> date:
    """The date of a day of the answer."""
    return date(day["day"]["year"], day["day"]["month"], day["day"]["day"])


def ask(layout: Layout, *, first: date, last: date, office: str = "") -> tuple[list[OfficeWeek], int]:
    """The load of an office or of all, those with the most breaches first, and the weeks of history under it.

    Raises Refused, httpx.TransportError.
    """
    token = keys.issue(layout.keys(""), "SERVICE_MANAGER", subject="CMS00001")
    body = {"from": _message(first), "until": _message(last), "officeCode": office, "pageSize": _PAGE, "pageToken": ""}
    days: list[dict[str, Any]] = []
    with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        doors = Doors(address=lambda name: f"http://127.0.0.1:{layout.http_port(name)}", client=client)
        while True:
            found = doors.once("scheduling-svc", "GetOfficeLoad", body, token=token)
            days += found["days"]
            body["pageToken"] = found["nextPageToken"]
            if not body["pageToken"]:
                return by_office(days), int(found["weeksOfHistory"])


def by_office(days: Sequence[dict[str, Any]]) -> list[OfficeWeek]:
    """The days office by office, those with the most breaches first, then those that are fullest."""
    offices: dict[str, list[dict[str, Any]]] = {}
    names: dict[str, str] = {}
    for day in days:
        code = day["office"]["code"]
        offices.setdefault(code, []).append(day)
        names[code] = day["office"]["name"]
    weeks = [OfficeWeek(name=names[code], days=of_office) for code, of_office in offices.items()]
    return sorted(weeks, key=lambda week: (-round(week.breaches, 1), -week.utilisation, week.name))


def _message(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}
