"""Gauges of state are read from the database at scrape; a scrape survives its loss."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from chassis.database import Connection, Database
from chassis.state_gauges import OWN_GAUGES, StateCollector, StateGauge
from chassis.testing import free_port


def scrape(collector: StateCollector) -> str:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


def test_gauges_show_unfinished_events_and_dead_letters(platform: Any) -> None:
    platform.submitted(2)
    platform.execute("UPDATE outbox SET created = clock_timestamp() - interval '90 seconds'")
    platform.execute(
        "INSERT INTO dead_letters (event_id, source, type, claim_ref, envelope, reason, tries)"
        " VALUES (gen_random_uuid(), 's', 't', 'C', '', 'R', 3)"
    )

    shown = scrape(StateCollector(platform.database, OWN_GAUGES))

    assert "chassis_outbox_unfinished 2.0" in shown
    assert "chassis_outbox_oldest_seconds 9" in shown
    assert "chassis_dead_letters 1.0" in shown


def test_the_oldest_event_is_zero_seconds_old_without_events(database: Database) -> None:
    shown = scrape(StateCollector(database, OWN_GAUGES))

    assert "chassis_outbox_oldest_seconds 0.0" in shown


def test_a_services_own_gauge_shows_its_labels(database: Database) -> None:
    gauge = StateGauge(name="tested", help="Tested.", labels=("state",), read=lambda _conn: [(("HELD",), 3.0)])

    assert 'tested{state="HELD"} 3.0' in scrape(StateCollector(database, [gauge]))


def test_scrapes_in_quick_succession_ask_the_database_once(database: Database) -> None:
    asked: list[Connection] = []

    def read(conn: Connection) -> list[tuple[tuple[str, ...], float]]:
        asked.append(conn)
        return [((), 1.0)]

    collector = StateCollector(database, [StateGauge(name="tested", help="Tested.", labels=(), read=read)])
    for _ in range(3):
        assert "tested 1.0" in scrape(collector)

    assert len(asked) == 1


def test_a_scrape_survives_the_loss_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.database._POOL_WAIT_SECONDS", 0.1)
    gone = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    gone.open()

    shown = scrape(StateCollector(gone, OWN_GAUGES))

    assert "# TYPE chassis_outbox_unfinished gauge" in shown
    assert "chassis_outbox_unfinished 0" not in shown  # unknown is not none
    gone.close()
