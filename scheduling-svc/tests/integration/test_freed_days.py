"""The days on which an office has time again are noted without waiting, on a real PostgreSQL."""

from datetime import date

from chassis.database import Connection, Database
from scheduling.store import waiting

LEEDS, DAY = "600021", date(2036, 11, 24)


def note(conn: Connection) -> None:
    waiting.note_days(conn, [LEEDS], first=DAY, last=DAY)


def test_those_who_free_time_of_the_same_day_do_not_wait_for_each_other(database: Database) -> None:
    with database.transaction() as first:
        note(first)
        with database.transaction() as second:
            second.execute("SET LOCAL lock_timeout = '50ms'")
            note(second)

    with database.transaction() as conn:
        freed = waiting.next_freed(conn)
    assert freed is not None
    assert (freed.office_code, freed.day, len(freed.entries)) == (LEEDS, DAY, 2)


def test_what_is_freed_while_a_day_is_looked_at_is_looked_at_again(database: Database) -> None:
    with database.transaction() as conn:
        note(conn)
        seen = waiting.next_freed(conn)
        note(conn)
        assert seen is not None

        waiting.seen_to(conn, seen, is_done=True)
        again = waiting.next_freed(conn)
        assert again is not None
        waiting.seen_to(conn, again, is_done=True)

        assert set(again.entries).isdisjoint(seen.entries)
        assert waiting.next_freed(conn) is None
