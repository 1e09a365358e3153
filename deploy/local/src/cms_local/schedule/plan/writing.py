"""The plan as a file that `cms rotas publish` takes: the whole week of every assessor who is moved."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from cms_local.rotas import COLUMNS
from cms_local.schedule.plan.moves import AssessorDay, Move, Rotas


def text_of(rotas: Rotas, moves: Iterable[Move]) -> str:
    """The lines of the file. An office that loses an assessor comes before one that gets them: nobody is in two places."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    by_assessor: dict[str, list[Move]] = {}
    for move in moves:
        by_assessor.setdefault(move.after.assessor_id, []).append(move)
    for assessor_id, of_one in sorted(by_assessor.items()):
        writer.writerows(_lines(rotas, assessor_id, of_one))
    return out.getvalue()


def _lines(rotas: Rotas, assessor_id: str, moves: Sequence[Move]) -> Iterator[dict[str, object]]:
    before = rotas.days[assessor_id]
    moved = [move.before for move in moves]
    after = [*(one for one in before if one not in moved), *(move.after for move in moves)]
    for office_code in dict.fromkeys(one.desk.office_code for one in [*before, *after]):
        days = sorted((one for one in after if one.desk.office_code == office_code), key=lambda one: one.day)
        if not days:
            yield {"assessor_id": assessor_id, "office_code": office_code, "day": rotas.monday}
        for day in days:
            yield from _of_day(day)


def _of_day(day: AssessorDay) -> Iterator[dict[str, object]]:
    for work in day.work:
        yield {
            "assessor_id": day.assessor_id,
            "office_code": day.desk.office_code,
            "day": day.day,
            "start": f"{work.start:%H:%M}",
            "end": f"{work.end:%H:%M}",
            "channel": work.channel.value,
            "skills": " ".join(work.skills),
            "emergency_slots": work.emergency_slots or "",
        }
