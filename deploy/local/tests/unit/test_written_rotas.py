"""Rotas as a manager writes them: what is read of a file, and what is refused."""

import pytest

from cms_local.rotas import BadRota, read

HEADER = "assessor_id,office_code,day,start,end,channel,skills"


def test_shifts_are_read_by_assessor_in_the_time_of_london() -> None:
    first, second = read(
        f"{HEADER}\nALE02001,600021,2026-07-06,09:00,12:00,OFFICE,\n"
        "ALE02002,600021,2026-12-14,09:00,12:00,TELEPHONE,WELSH POLISH\n"
        "ALE02001,600021,2026-07-07,13:00,17:30,HOME_VISIT,\n"
    )

    assert first.message()["shifts"] == [
        {
            "start": "2026-07-06T09:00:00+01:00",
            "end": "2026-07-06T12:00:00+01:00",
            "channel": "CHANNEL_OFFICE",
            "skills": [],
            "emergencySlots": 0,
        },
        {
            "start": "2026-07-07T13:00:00+01:00",
            "end": "2026-07-07T17:30:00+01:00",
            "channel": "CHANNEL_HOME_VISIT",
            "skills": [],
            "emergencySlots": 0,
        },
    ]
    assert second.shifts[0]["start"] == "2026-12-14T09:00:00+00:00"
    assert second.shifts[0]["skills"] == ["WELSH", "POLISH"]


def test_slots_are_kept_for_emergencies_where_the_file_says_so() -> None:
    [rota] = read(
        f"{HEADER},emergency_slots\nALE02001,600021,2026-07-06,09:00,12:00,OFFICE,,2\n"
        "ALE02001,600021,2026-07-07,09:00,12:00,OFFICE,,\n"
    )

    assert [shift["emergencySlots"] for shift in rota.shifts] == [2, 0]


def test_a_week_without_work_is_published_too() -> None:
    [rota] = read(f"{HEADER}\nALE02001,600021,2026-12-31,,,,\n")

    message = rota.message()

    assert message["shifts"] == []
    assert message["weeks"] == [{"year": 2026, "month": 12, "day": 28}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "columns must be"),
        (HEADER, "no rota"),
        ("day,start\n", "columns must be"),
        (f"{HEADER}\nALE02001,600021,2026-07-06,09:00,12:00,OFFICE\n", "line 2 does not have"),
        (f"{HEADER}\nALE02001,600021,2026-07-06,09:00,12:00,OFFICE,,x\n", "line 2 does not have"),
        (f"{HEADER}\n,600021,2026-07-06,09:00,12:00,OFFICE,\n", "line 2: assessor_id"),
        (f"{HEADER}\nALE02001,600021,06/07/2026,09:00,12:00,OFFICE,\n", "line 2: day"),
        (f"{HEADER}\nALE02001,600021,2026-07-06,9,12:00,OFFICE,\n", "line 2: start"),
        (f"{HEADER}\nALE02001,600021,2026-07-06,09:00,25:00,OFFICE,\n", "line 2: end"),
        (f"{HEADER}\nALE02001,600021,2026-07-06,09:00,,OFFICE,\n", "line 2: end"),
        (f"{HEADER}\nALE02001,600021,2026-07-06,09:00,12:00,FAX,\n", "line 2: channel"),
        (f"{HEADER},emergency_slots\nALE02001,600021,2026-07-06,09:00,12:00,OFFICE,,-1\n", "line 2: emergency_slots"),
        (f"{HEADER},emergency_slots\nALE02001,600021,2026-07-06,09:00,12:00,OFFICE,,1.5\n", "line 2: emergency_slots"),
        (f"{HEADER},emergency_slots\nALE02001,600021,2026-07-06,09:00,12:00,OFFICE,\n", "line 2 does not have 8"),
        (f'{HEADER}\nALE02001,600021,"2026-07-06\n', "CSV"),
    ],
)
def test_what_is_no_rota_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(BadRota, match=told):
        read(text)
