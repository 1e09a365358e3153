"""Holds are found by their claim, whatever statistics say of how many there are, on a real PostgreSQL."""

from typing import Any

import psycopg

from chassis.testing import DatabaseUrls, Servers
from scheduling.store.holds import RELEASE

BOOKED = """
    INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, appointment_id)
    SELECT 'A' || n, 'C' || n, now(), now() + interval '1 hour', gen_random_uuid() FROM generate_series(1, 5000) AS n
"""
HELD = """
    INSERT INTO diary (assessor_id, claim_ref, start_time, end_time, held_until)
    SELECT 'H' || n, 'C' || n, now(), now() + interval '1 hour', now() + interval '10 minutes' FROM generate_series(1, 500) AS n
"""
ALL_OF_A_CLAIM: dict[str, Any] = {"claim_ref": "C7", "offered_by": None, "all": True, "assessors": [], "starts": []}


def test_holds_of_a_claim_are_found_by_the_claim_though_statistics_know_of_no_hold(
    servers: Servers, database_urls: DatabaseUrls
) -> None:
    url = f"{servers.postgres_url}/{database_urls.name}"
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")  # of the appointments nothing is looked at
        superuser.execute(BOOKED)
        superuser.execute("VACUUM ANALYZE diary")
        superuser.execute(HELD)

        [row] = superuser.execute(f"EXPLAIN (FORMAT JSON) {RELEASE}", ALL_OF_A_CLAIM)

    assert indexes_of(row[0][0]["Plan"]) - {"diary_pkey"} == {"diary_of_a_call"}


def indexes_of(plan: dict[str, Any]) -> set[str]:
    """The indexes by which a plan reads the diary."""
    own = {plan["Index Name"]} if "Index Name" in plan else set()
    return own.union(*(indexes_of(part) for part in plan.get("Plans", ())))
