"""How the stand-ins fail during the week, and what they have counted of it.

The modes are those of docs/interfaces/legacy.md, "How they fail".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from cms_local.layout import Layout

FAILED_SHARE = 0.699
"""The share of attempts that failed in the week from 11 July 2005: 3,030 of 4,333."""

_RECORDS: Mapping[str, Sequence[str]] = {"iscs": ("IS001",), "jsaps": ("ES504", "BA504")}
"""The dialogues that carry records, by stand-in."""

_MODES: Mapping[str, float] = {
    "system_error": 0.14,
    "busy": 0.12,
    "lose_reply": 0.14,
    "cut_reply": 0.08,
    "other_transfer": 0.06,
    "close_mid_frame": 0.08,
    "hold_late": 0.03,
    "answer_late": 0.02,
    "buffer": 0.016,
    "hang": 0.01,
    "refuse_record": 0.003,
}
"""The share of attempts that fail by each mode."""
_ENQUIRIES_FAIL: Mapping[str, float] = {"system_error": 0.05, "busy": 0.05, "lose_reply": 0.1}
_CONNECTIONS_REFUSED = 0.2
_SECONDS = 5.0
"""How late is late: beyond every time-out of the week."""
_FILES = "pscs"
_FILE_RULES: tuple[Mapping[str, Any], ...] = (
    {"failure": "refuse", "rate": 0.2},
    {"failure": "break_off", "at": "write", "rate": 0.1},
    {"failure": "lose_reply", "at": "rename", "rate": 0.2},
    {"failure": "system_error", "at": "rename", "rate": 0.1},
    {"failure": "refuse_file", "rate": 0.4},
    {"failure": "no_response", "rate": 0.2, "seconds": 3.0},
    {"failure": "omit_line", "rate": 0.2, "recount": True},
    {"failure": "refuse_record", "rate": 0.003},
)
"""The failures of the batch file: at the SFTP door, of the whole file, and of lines."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Attempts at records that the outside systems have seen (a file's lines count one by one), and those that failed."""

    attempts: int
    failed: int


def fail(layout: Layout, client: httpx.Client, *, seed: int, rate: float) -> None:
    """Puts the week's failures into force, `rate` of the attempts by all modes together."""
    for stand_in, dialogues in _RECORDS.items():
        _order(layout, client, stand_in, list(_link_rules(dialogues, seed=seed, share=rate / FAILED_SHARE)))
    share = rate / FAILED_SHARE
    files = [{**rule, "rate": rule["rate"] * share, "seed": seed + number} for number, rule in enumerate(_FILE_RULES)]
    _order(layout, client, _FILES, files)


def take_down(layout: Layout, client: httpx.Client, stand_in: str, *, seconds: float) -> None:
    """Lets a mainframe go away for this long. `seconds` are before the time scale."""
    _add(layout, client, stand_in, {"failure": "down", "seconds": seconds, "count": 1})


def silence(layout: Layout, client: httpx.Client, *, seconds: float) -> None:
    """Lets PSCS take no file and write no response for this long."""
    _add(layout, client, _FILES, {"failure": "silent", "seconds": seconds, "count": 1})


def mend(layout: Layout, client: httpx.Client) -> None:
    """Ends every failure."""
    for stand_in in (*_RECORDS, _FILES):
        _order(layout, client, stand_in, [])


def _link_rules(dialogues: Sequence[str], *, seed: int, share: float) -> Iterator[dict[str, Any]]:
    yield {"failure": "refuse", "rate": _CONNECTIONS_REFUSED * share, "seed": seed}
    for dialogue in dialogues:
        yield from rules_of(dialogue, seed=seed, share=share)
    yield from _rules(_ENQUIRIES_FAIL, "ENQ01", seed=seed, share=share)


def rules_of(dialogue: str, *, seed: int, share: float) -> Iterator[dict[str, Any]]:
    """The failures of a dialogue that carries records; `share` is the part of the week's rate that is wanted."""
    return _rules(_MODES, dialogue, seed=seed, share=share)


def _rules(modes: Mapping[str, float], dialogue: str, *, seed: int, share: float) -> Iterator[dict[str, Any]]:
    """A rule is tried after those before it have not fired, so its rate is of what they leave."""
    left = 1.0
    for mode, part in modes.items():
        rate = part * share
        rule = {"failure": mode, "dialogue": dialogue, "rate": rate / left, "seconds": _SECONDS, "retry_after": 0}
        yield {**rule, "seed": hash_of(seed, dialogue, mode)}
        left -= rate


def hash_of(seed: int, *names: str) -> int:
    """A seed of its own for each rule, the same in every process."""
    return sum(ord(letter) * (place + 1) for place, letter in enumerate("".join(names))) + 1_000_003 * seed


def _order(layout: Layout, client: httpx.Client, stand_in: str, rules: list[dict[str, Any]]) -> None:
    address = f"http://127.0.0.1:{layout.control_port(stand_in)}/failures"
    client.put(address, json=rules).raise_for_status()


def _add(layout: Layout, client: httpx.Client, stand_in: str, rule: Mapping[str, Any]) -> None:
    client.post(f"http://127.0.0.1:{layout.control_port(stand_in)}/failures", json=rule).raise_for_status()


def counts_of(layout: Layout, client: httpx.Client) -> Counts:
    """The counts of all stand-ins since they were started."""
    attempts = failed = 0
    for stand_in in (*_RECORDS, _FILES):
        found = (
            client.get(f"http://127.0.0.1:{layout.control_port(stand_in)}/failures/attempts").raise_for_status().json()
        )
        attempts += found["attempts"]
        failed += found["failed"]
    return Counts(attempts=attempts, failed=failed)
