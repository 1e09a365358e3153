"""The state of the notices, read from the database at each scrape."""

from datetime import timedelta

from chassis import clock
from chassis.database import Connection
from chassis.state_gauges import Samples, StateGauge
from la_notifier.domain.letters import Recipient
from la_notifier.domain.reviews import ReferralReason
from la_notifier.messages.gauges import MESSAGE_GAUGES
from la_notifier.store import counts

ENDED_FOR = timedelta(hours=1)
"""Versions that were loaded or superseded are counted for this long, so that a scrape does not read all history."""

AWAY_AFTER_FAILURES = 5
"""After so many failures in a row, half a minute or more, an authority counts as away."""


def _notices(conn: Connection) -> Samples:
    found = counts.count_notices(conn, ended_since=clock.now() - ENDED_FOR)
    return [(labels, float(count)) for labels, count in found.items()]


def _referrals(conn: Connection) -> Samples:
    return [((reason,), float(count)) for reason, count in counts.count_referrals(conn, ReferralReason).items()]


def _work_items(conn: Connection) -> Samples:
    return [((kind,), float(count)) for kind, count in counts.count_work_items(conn).items()]


def _resting(conn: Connection) -> Samples:
    found = counts.count_resting(conn, failures=AWAY_AFTER_FAILURES)
    return [((act,), float(count)) for act, count in found.items()]


def _reviews(conn: Connection) -> Samples:
    return [((), float(counts.count_reviews(conn)))]


def _files(conn: Connection) -> Samples:
    return [((state,), float(count)) for state, count in counts.count_files(conn).items()]


def _letters(conn: Connection) -> Samples:
    return [((recipient,), float(count)) for recipient, count in counts.count_letters(conn, Recipient).items()]


GAUGES = (
    *MESSAGE_GAUGES,
    StateGauge(
        name="notifier_notices",
        help="Versions of notices by channel and state, of those loaded or superseded the last hour's; up to 10,000 each.",
        labels=("channel", "state"),
        read=_notices,
    ),
    StateGauge(
        name="notifier_files",
        help="Files to authorities that are not acknowledged, by state; up to 10,000.",
        labels=("state",),
        read=_files,
    ),
    StateGauge(
        name="notifier_letters",
        help="Letters in the print queue that wait to be printed, by recipient; up to 10,000 each.",
        labels=("recipient",),
        read=_letters,
    ),
    StateGauge(
        name="notifier_referrals",
        help="Matters for a processing officer, who has to see that the right authority knows; up to 10,000 each.",
        labels=("reason",),
        read=_referrals,
    ),
    StateGauge(
        name="notifier_work_items",
        help="Open work items of processing officers over notices; up to 10,000.",
        labels=("kind",),
        read=_work_items,
    ),
    StateGauge(
        name="notifier_authorities_away",
        help="Authorities with the API that have not answered five times in a row, by what is tried.",
        labels=("act",),
        read=_resting,
    ),
    StateGauge(
        name="notifier_reviews_due",
        help="Claims that are due for review, or whose last review was put off; up to 10,000.",
        labels=(),
        read=_reviews,
    ),
)
