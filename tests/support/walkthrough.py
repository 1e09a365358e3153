"""Runs docs/api/walkthrough.md against a platform, call by call by curl, and holds each answer against the document.

The document is what a reader would do by hand: shell lines that make tokens, requests, and the response to each. Values that
are new on every run (references, ids, times) are bound: where the document and the platform differ in one, later calls send
the platform's. Everything else must be the same. "…" at the end of a list stands for more of the same.

`RENEW` is the command that writes the responses which came into the document.
"""

import json
import random
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from chassis import clock
from cms_local.cases import random_nino
from cms_local.layout import ROOT, SERVICES, Layout

DOCUMENT = ROOT / "docs" / "api" / "walkthrough.md"
RENEW = "CMS_WRITE_WALKTHROUGH=1 pytest tests/contract/test_walkthrough.py"
MORE = "…"
WIDTH = 118
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.2
_DAY = re.compile(r'(?<=")[0-9]{4}-[0-9]{2}-[0-9]{2}(?=")')
_NINO = re.compile(r"\b[A-Z]{2}[0-9]{6}[A-D]\b")
_BLOCK = re.compile(r"^```(sh|http)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_AGAIN = re.compile(r"<!-- again until (.+?) -->")
_NEW_EVERY_TIME = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a UUID
    r"|C[0-9A-HJKMNP-TV-Z]{11}"  # a claim's reference
    r"|[A-Z]{2}[0-9]{6}[A-D]"  # a NINO
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"  # a time
)
_NEW_BY_NAME = frozenset(
    [
        "slotId",
        "assessorId",
        "office.code",
        "office.name",
        "distanceKm",
        "leadTimeSeconds",
        "talkSeconds",
        "transferId",
        "legacyRef",
        "attempts",
        "year",
        "month",
        "day",
        "withinTarget",
        "nextPageToken",
        "officeCode",
    ]
)
"""Fields whose values depend on the day, on word that comes as an event, or are drawn."""
_WRITTEN_ON = date(2026, 11, 30)
"""The document's own day: days near it stand for days near that of a run."""
_NEAR = timedelta(days=60)


_OF_OTHER_CLAIMS = frozenset({"possibleDuplicates"})
"""Fields that tell of the other claims on the platform: each walk leaves one of the same person."""


class Differs(AssertionError):
    """The platform does not answer as the document says."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A request of the document, or a shell line, with the response that the document shows."""

    shell: str = ""
    start: str = ""
    """The request's first line."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    status: int = 0
    response: Any = None
    span: tuple[int, int] = (0, 0)
    """The place of the response's body in the document."""
    until: str = ""
    """A regular expression of the response's text; the reader asks again until it matches."""


def steps(text: str) -> Iterator[Step]:
    """Reads the document's steps."""
    blocks = list(_BLOCK.finditer(text))
    at = 0
    while at < len(blocks):
        kind, content = blocks[at].groups()
        if kind == "sh":
            yield Step(shell=content)
            at += 1
            continue
        head, _, body = content.partition("\n\n")
        start, *lines = head.splitlines()
        answer = blocks[at + 1]
        answer_head, _, answer_body = answer[2].partition("\n\n")
        begin = answer.start(2) + len(answer_head) + 2
        yield Step(
            start=start,
            headers=dict(line.split(": ", 1) for line in lines),
            body=json.loads(body) if body.strip() else None,
            status=int(answer_head.split()[1]),
            response=json.loads(answer_body),
            span=(begin, answer.end(2)),
            until=found[1] if (found := _AGAIN.search(text, blocks[at].end(), answer.start())) else "",
        )
        at += 2


@dataclass
class Bound:
    """Values of the document and those of this run that stand for them."""

    live: dict[str, str] = field(default_factory=dict)

    def bind(self, written: str, seen: str) -> None:
        """Notes that `seen` stands for `written`, unless another does already."""
        self.live.setdefault(written, seen)

    def in_text(self, text: str) -> str:
        """Replaces values of the document by this run's. Request ids that are new to it get one."""
        for found in _NEW_EVERY_TIME.findall(text):
            if found not in self.live and "-" in found and ":" not in found:
                self.live[found] = str(uuid4())
        return _replaced(text, self.live)

    def in_document(self, text: str) -> str:
        """Replaces this run's values by those of the document."""
        return _replaced(text, {seen: written for written, seen in self.live.items()})


def _replaced(text: str, by: Mapping[str, str]) -> str:
    if not by:
        return text
    longest_first = sorted(by, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: by[found[0]], text)


@dataclass
class Walk:
    """One run of the document."""

    layout: Layout
    bound: Bound = field(default_factory=Bound)
    tokens: dict[str, str] = field(default_factory=dict)
    on_response: Callable[[Step, Any], None] = lambda _step, _response: None

    def run(self, text: str, *, checked: bool = True) -> None:
        """Takes every step. Raises Differs where a response is another than the document's."""
        for nino in sorted(set(_NINO.findall(text))):
            self.bound.bind(nino, random_nino(random.SystemRandom()))
        for written in set(_DAY.findall(text)):
            since = date.fromisoformat(written) - _WRITTEN_ON
            if abs(since) < _NEAR:
                self.bound.bind(written, (clock.today() + since).isoformat())
        for step in steps(text):
            if step.shell:
                self._make_tokens(step.shell)
                continue
            try:
                self._take(step, checked=checked)
            except Differs as differs:
                differs.add_note(f"If that is meant: {RENEW}, and read what changed.")
                raise

    def _make_tokens(self, shell: str) -> None:
        """Runs lines like `OPERATOR=$(cms token --role OPERATOR)`; other lines are for the reader's eyes."""
        for name, command in re.findall(r"^(\w+)=\$\((cms token .*)\)$", shell, re.MULTILINE):
            self.tokens[name] = self._printed(self.bound.in_text(command))

    def _printed(self, command: str) -> str:
        environment = {
            "CMS_PORT_BASE": str(self.layout.base or ""),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        }
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=30, check=True, env=environment, cwd=ROOT
        )
        return done.stdout.strip()

    def _take(self, step: Step, *, checked: bool) -> None:
        status, response = self._send(step)
        until = time.monotonic() + PATIENCE_SECONDS
        while not re.search(step.until, json.dumps(response)) and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)
            status, response = self._send(step)
        if status != step.status:
            raise Differs(f"{step.start}: {status} and not {step.status}: {json.dumps(response)[:800]}")
        if checked:
            self._compare(step.response, response, step.start)
        else:
            self._bind_all(step.response, response)
        self.on_response(step, response)

    def _send(self, step: Step) -> tuple[int, Any]:
        verb, path, _ = step.start.split()
        headers = {name: self.bound.in_text(value) for name, value in step.headers.items() if name != "Host"}
        for name, token in self.tokens.items():
            headers = {key: re.sub(rf"\${name}\b", token, value) for key, value in headers.items()}
        command = ["curl", "-sS", "--max-time", "20", "-X", verb, "-w", "\n%{http_code}"]
        command += [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
        if step.body is not None:
            command += ["--data-binary", self.bound.in_text(json.dumps(step.body, ensure_ascii=False))]
        address = f"http://127.0.0.1:{self._port(step.headers['Host'])}{self.bound.in_text(path)}"
        done = subprocess.run([*command, address], capture_output=True, text=True, timeout=30, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)

    def _port(self, host: str) -> int:
        """The port of this platform for one that the document names."""
        documented = Layout(None)
        [service] = [name for name in SERVICES if host == f"127.0.0.1:{documented.http_port(name)}"]
        return self.layout.http_port(service)

    def _compare(self, written: Any, seen: Any, place: str) -> None:
        match written, seen:
            case dict(), dict():
                if written.keys() != seen.keys():
                    raise Differs(f"{place}: fields {sorted(written.keys() ^ seen.keys())} stand on one side alone")
                for name in written.keys() - _OF_OTHER_CLAIMS:
                    self._compare(written[name], seen[name], f"{place}.{name}")
            case list(), list():
                self._compare_lists(written, seen, place)
            case str(), str() if self._is_new(written, place):
                self._bind(written, seen)
            case str(), str() if self.bound.live.get(written, written) == seen:
                pass
            case _:
                same = type(written) is type(seen) if _is_new_by_name(place) else written == seen
                if not same:
                    raise Differs(f"{place}: {seen!r}, and not {written!r}")

    def _compare_lists(self, written: list[Any], seen: list[Any], place: str) -> None:
        shown = [part for part in written if part != MORE]
        if len(seen) < len(shown) or (len(seen) > len(shown) and len(shown) == len(written)):
            raise Differs(f"{place}: {len(seen)} entries, and not {len(shown)}")
        for index, (one, other) in enumerate(zip(shown, seen, strict=False)):
            self._compare(one, other, f"{place}[{index}]")

    def _bind_all(self, written: Any, seen: Any, place: str = "") -> None:
        match written, seen:
            case dict(), dict():
                for name in written.keys() & seen.keys():
                    self._bind_all(written[name], seen[name], f"{place}.{name}")
            case list(), list():
                for one, other in zip(written, seen, strict=False):
                    self._bind_all(one, other, place)
            case str(), str() if self._is_new(written, place):
                self._bind(written, seen)

    def _bind(self, written: str, seen: str) -> None:
        if len(written) > 3:  # a shorter one would be found inside other words
            self.bound.bind(written, seen)

    @staticmethod
    def _is_new(written: str, place: str) -> bool:
        is_detail = place.endswith(".value") and ".details[" in place  # in base64
        return is_detail or _NEW_EVERY_TIME.fullmatch(written) is not None or _is_new_by_name(place)


def _is_new_by_name(place: str) -> bool:
    *_, parent, name = f".{place}".split(".")
    return name in _NEW_BY_NAME or f"{parent}.{name}" in _NEW_BY_NAME


def shortened(seen: Any, written: Any, place: str = "") -> Any:
    """A response as the document shows it: lists are cut where the document cuts them, and long ones that are new to it."""
    match seen, written:
        case dict(), _:
            old = written if isinstance(written, dict) else {}
            names = [*(name for name in old if name in seen), *(name for name in seen if name not in old)]
            return {name: _part(name, seen, old, f"{place}.{name}") for name in names}
        case list(), list() if MORE in written:
            kept = max(1, len(written) - 1)
        case list(), None:
            kept = 2
        case list(), _:
            kept = len(seen)
        case _:
            return seen
    old_parts = written if isinstance(written, list) else []
    parts = [
        shortened(part, old_parts[at] if at < len(old_parts) else None, place) for at, part in enumerate(seen[:kept])
    ]
    return [*parts, MORE] if len(seen) > kept else parts


def _part(name: str, seen: Mapping[str, Any], old: Mapping[str, Any], place: str) -> Any:
    """A field's value: that of the document where it is new on every run, or a detail that says the same."""
    if name not in old:
        return shortened(seen[name], None, place)
    written, came = old[name], seen[name]
    new = _is_new_by_name(place) and type(written) is type(came)
    if isinstance(written, str) and isinstance(came, str):
        of_a_detail = name == "value" and "debug" in seen and old.get("debug") == seen["debug"]
        new = new or of_a_detail or bool(_NEW_EVERY_TIME.fullmatch(written) and _NEW_EVERY_TIME.fullmatch(came))
    return written if new else shortened(came, written, place)


def pretty(value: Any, indent: int = 0, before: int = 0) -> str:
    """JSON for readers: what fits on a line, after `before` characters, stands on one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or before + len(line) <= WIDTH:
        return line
    inner = indent + 2
    if isinstance(value, list):
        parts = [pretty(part, inner, inner) for part in value]
    else:
        names = [f"{json.dumps(name)}: " for name in value]
        parts = [
            name + pretty(part, inner, inner + len(name)) for name, part in zip(names, value.values(), strict=True)
        ]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    between = ",\n" + " " * inner
    return f"{opening}\n{' ' * inner}{between.join(parts)}\n{' ' * indent}{closing}"


def rewritten(text: str, layout: Layout) -> str:
    """Runs the document, and returns it with the responses that came."""
    came: list[tuple[Step, Any]] = []
    walk = Walk(layout, on_response=lambda step, response: came.append((step, response)))
    walk.run(text, checked=False)
    for step, response in reversed(came):
        came_in_its_words = json.loads(walk.bound.in_document(json.dumps(response)))
        shown = pretty(shortened(came_in_its_words, step.response))
        begin, end = step.span
        text = f"{text[:begin]}{shown}\n{text[end:]}"
    return text
