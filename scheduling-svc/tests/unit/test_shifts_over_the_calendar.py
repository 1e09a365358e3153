"""Shifts, slots and rotas on the days on which calendars go wrong."""

from datetime import UTC, date, datetime, time, timedelta

import holidays
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.domain.offices import Channel
from scheduling.domain.shifts import Shift
from scheduling.domain.working_time import LONDON

YEARS = range(2020, 2036)
BANK_HOLIDAYS = {nation: holidays.country_holidays("GB", subdiv=nation.value, years=YEARS) for nation in Nation}
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CHANGES = [date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)]
"""The days on which summer time begins or ends."""

nations = st.sampled_from(Nation)
around_changes = st.builds(lambda change, days: change + days * DAY, st.sampled_from(CHANGES), st.integers(-3, 3))
days = st.one_of(around_changes, st.dates(date(2021, 1, 1), date(2034, 12, 31)))


def in_london(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=LONDON).astimezone(UTC)


def shift(start: datetime, end: datetime) -> Shift:
    return Shift(assessor_id="ALE02001", office_code="600021", start_time=start, end_time=end, channel=Channel.OFFICE)
