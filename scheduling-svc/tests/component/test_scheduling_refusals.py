"""Refusals are the same by both doors: code, reason and fields, without any value of the caller's."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from chassis.bank_holidays import Nation
from chassis.testing import Tokens
from cms.scheduling.v1 import scheduling_pb2
from scheduling.domain.working_time import is_working_day

CLAIM = "C0000000000A"
LEEDS = "LS1 3AB"
REQUEST_ID = str(uuid4())
NOBODYS = str(uuid4())
NO_SLOT = "ALE02001-20200101T0900Z"
BELFAST, GUERNSEY = "BT1 5GS", "GY1 1AA"
FAR_AWAY = "ZE2 9AR"
"""In Shetland, from which every office is too far for a home visit."""
BOOKING = {"claimRef": CLAIM, "requestId": REQUEST_ID, "earliest": True, "postcode": LEEDS}
CHANGE = {"appointmentId": NOBODYS, "version": 1, "requestId": REQUEST_ID}
DAY = next(
    day
    for day in (clock.today() + timedelta(days=number) for number in range(40, 60))
    if is_working_day(day, Nation.ENGLAND)
)
ROTA = {
    "assessorId": "ALE02001",
    "officeCode": "600021",
    "shifts": [{"start": f"{DAY}T10:00:00Z", "end": f"{DAY}T12:00:00Z", "channel": "CHANNEL_OFFICE"}],
    "requestId": REQUEST_ID,
}
AWAY = {
    "from": f"{DAY}T09:00:00Z",
    "until": f"{DAY}T17:00:00Z",
    "reason": "SECRET1",
    "requestId": REQUEST_ID,
}
TODAY = {"year": clock.today().year, "month": clock.today().month, "day": clock.today().day}
VALID: dict[str, dict[str, Any]] = {
    "FindSlots": {"postcode": LEEDS},
    "BookAppointment": BOOKING,
    "GetAppointment": {"claimRef": CLAIM},
    "MoveAppointment": CHANGE | {"slotId": NO_SLOT},
    "CancelAppointment": CHANGE | {"reason": "SECRET1"},
    "RecordAttendance": CHANGE | {"attended": True},
    "PublishRota": ROTA,
    "RecordAbsence": {"assessorId": "ALE02001"} | AWAY,
    "CancelAbsence": {"assessorId": "ALE02001", "requestId": REQUEST_ID},
    "CloseOffice": {"officeCode": "600021"} | AWAY,
    "ReopenOffice": {"officeCode": "600021", "requestId": REQUEST_ID},
    "ListNotMoved": {"officeCode": "600021"},
    "GetOfficeLoad": {"officeCode": "600021", "from": TODAY, "until": TODAY},
    "ListAppointments": {"claimRef": CLAIM},
    "CreateDiaryLink": {"requestId": REQUEST_ID},
    "GetDiaryLinks": {},
    "RevokeDiaryLink": {"linkId": NOBODYS, "requestId": REQUEST_ID},
    "OfferSlots": {"claimRef": CLAIM, "postcode": LEEDS, "requestId": REQUEST_ID},
    "ReleaseSlots": {"claimRef": CLAIM, "requestId": REQUEST_ID},
    "JoinWaitingList": {"appointmentId": NOBODYS, "requestId": REQUEST_ID},
    "LeaveWaitingList": {"appointmentId": NOBODYS, "requestId": REQUEST_ID},
}
ALLOWED = {
    "FindSlots": {"OPERATOR", "ASSESSOR"},
    "BookAppointment": {"OPERATOR"},
    "MoveAppointment": {"OPERATOR", "ASSESSOR", "SERVICE_MANAGER"},
    "CancelAppointment": {"OPERATOR", "ASSESSOR", "SERVICE_MANAGER"},
    "RecordAttendance": {"OPERATOR", "ASSESSOR"},
    "PublishRota": {"SERVICE_MANAGER"},
    "RecordAbsence": {"SERVICE_MANAGER", "ASSESSOR"},
    "CancelAbsence": {"SERVICE_MANAGER", "ASSESSOR"},
    "CloseOffice": {"SERVICE_MANAGER"},
    "ReopenOffice": {"SERVICE_MANAGER"},
    "ListNotMoved": {"SERVICE_MANAGER", "ASSESSOR"},
    "GetOfficeLoad": {"SERVICE_MANAGER"},
    "OfferSlots": {"OPERATOR"},
    "ReleaseSlots": {"OPERATOR"},
    "JoinWaitingList": {"OPERATOR", "ASSESSOR"},
    "LeaveWaitingList": {"OPERATOR", "ASSESSOR"},
    "GetAppointment": {
        "OPERATOR",
        "ASSESSOR",
        "PROCESSING_OFFICER",
        "CASEWORKER",
        "SERVICE_MANAGER",
        "SUPPORT",
        "SERVICE",
    },
    "ListAppointments": {
        "OPERATOR",
        "ASSESSOR",
        "PROCESSING_OFFICER",
        "CASEWORKER",
        "SERVICE_MANAGER",
        "SUPPORT",
    },
    "CreateDiaryLink": {"ASSESSOR"},
    "GetDiaryLinks": {"ASSESSOR", "SERVICE_MANAGER"},
    "RevokeDiaryLink": {"ASSESSOR", "SERVICE_MANAGER"},
}
BEYOND_THE_ROLE = {"ALREADY_BOOKED", "SLOT_UNKNOWN", "APPOINTMENT_UNKNOWN", "LINK_UNKNOWN", "NO_DIARY"}
"""Refusals that come after the role was found good."""
ROLES = ALLOWED["GetAppointment"] | {"COUNCIL_OFFICER"}

# method, what is put in place of a good request's fields, code, reason, fields at fault
REFUSALS: list[tuple[str, dict[str, Any], str, str, set[str]]] = [
    ("FindSlots", {"postcode": ""}, "invalid_argument", "INVALID_FIELDS", {"postcode", "office_code"}),
    ("FindSlots", {"officeCode": "600021"}, "invalid_argument", "INVALID_FIELDS", {"postcode", "office_code"}),
    ("FindSlots", {"postcode": "SECRET1"}, "invalid_argument", "MALFORMED_POSTCODE", {"postcode"}),
    ("FindSlots", {"postcode": GUERNSEY}, "failed_precondition", "CHANNEL_ISLANDS", {"postcode"}),
    ("FindSlots", {"postcode": "im1-1aa"}, "failed_precondition", "ISLE_OF_MAN", {"postcode"}),
    ("FindSlots", {"postcode": "BFPO 140"}, "failed_precondition", "BFPO", {"postcode"}),
    ("FindSlots", {"postcode": "ZZ1 9ZZ"}, "invalid_argument", "POSTCODE_UNKNOWN", {"postcode"}),
    ("FindSlots", {"postcode": BELFAST}, "failed_precondition", "NORTHERN_IRELAND", {"postcode"}),
    ("FindSlots", {"postcode": "", "officeCode": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office_code"}),
    ("FindSlots", {"pageSize": -1}, "invalid_argument", "INVALID_FIELDS", {"page_size"}),
    ("FindSlots", {"pageToken": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"page_token"}),
    ("FindSlots", {"needs": [1, 0]}, "invalid_argument", "INVALID_FIELDS", {"needs[1]"}),
    ("FindSlots", {"needs": [77]}, "invalid_argument", "INVALID_FIELDS", {"needs[0]"}),
    ("FindSlots", {"channel": 77}, "invalid_argument", "INVALID_FIELDS", {"channel"}),
    (
        "FindSlots",
        {"from": "2026-12-01T10:00:00Z", "until": "2026-12-01T09:59:59Z"},
        "invalid_argument",
        "INVALID_FIELDS",
        {"until"},
    ),
    (
        "FindSlots",
        {"postcode": "", "officeCode": "600021", "channel": "CHANNEL_HOME_VISIT"},
        "invalid_argument",
        "INVALID_FIELDS",
        {"postcode"},
    ),
    (
        "FindSlots",
        {"postcode": FAR_AWAY, "channel": "CHANNEL_HOME_VISIT"},
        "failed_precondition",
        "OUT_OF_REACH",
        {"postcode"},
    ),
    ("FindSlots", {"claimRef": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"claim_ref"}),
    (
        "OfferSlots",
        {"postcode": FAR_AWAY, "channel": "CHANNEL_HOME_VISIT"},
        "failed_precondition",
        "OUT_OF_REACH",
        {"postcode"},
    ),
    (
        "OfferSlots",
        {"postcode": "", "officeCode": "600021", "channel": "CHANNEL_HOME_VISIT"},
        "invalid_argument",
        "INVALID_FIELDS",
        {"postcode"},
    ),
    (
        "BookAppointment",
        {"postcode": FAR_AWAY, "channel": "CHANNEL_HOME_VISIT"},
        "failed_precondition",
        "OUT_OF_REACH",
        {"postcode"},
    ),
    ("FindSlots", {"language": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"language"}),
    ("OfferSlots", {"language": "polish"}, "invalid_argument", "INVALID_FIELDS", {"language"}),
    ("BookAppointment", {"language": "WELSH"}, "invalid_argument", "INVALID_FIELDS", {"language"}),
    ("OfferSlots", {"claimRef": ""}, "invalid_argument", "INVALID_FIELDS", {"claim_ref"}),
    ("OfferSlots", {"postcode": ""}, "invalid_argument", "INVALID_FIELDS", {"postcode", "office_code"}),
    ("OfferSlots", {"postcode": "SECRET1"}, "invalid_argument", "MALFORMED_POSTCODE", {"postcode"}),
    ("OfferSlots", {"postcode": GUERNSEY}, "failed_precondition", "CHANNEL_ISLANDS", {"postcode"}),
    ("OfferSlots", {"postcode": "", "officeCode": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office_code"}),
    ("OfferSlots", {"needs": [0]}, "invalid_argument", "INVALID_FIELDS", {"needs[0]"}),
    ("OfferSlots", {"channel": 77}, "invalid_argument", "INVALID_FIELDS", {"channel"}),
    ("OfferSlots", {"needs": ["APPOINTMENT_NEED_WELSH"]}, "failed_precondition", "NO_SLOT_FREE", set()),
    ("OfferSlots", {"until": "2020-12-01T09:59:59Z"}, "failed_precondition", "NO_SLOT_FREE", set()),
    (
        "OfferSlots",
        {"from": "2026-12-01T10:00:00Z", "until": "2026-12-01T09:59:59Z"},
        "invalid_argument",
        "INVALID_FIELDS",
        {"until"},
    ),
    (
        "OfferSlots",
        {"declinedSlotIds": [NO_SLOT, "SECRET1"]},
        "invalid_argument",
        "INVALID_FIELDS",
        {"declined_slot_ids[1]"},
    ),
    ("OfferSlots", {"claimRef": "C00000000010"}, "not_found", "CLAIM_UNKNOWN", set()),
    ("OfferSlots", {"claimRef": "CW0THDRAWN00"}, "failed_precondition", "CLAIM_NOT_OPEN", set()),
    ("ReleaseSlots", {"claimRef": ""}, "invalid_argument", "INVALID_FIELDS", {"claim_ref"}),
    ("ReleaseSlots", {"slotIds": ["SECRET1"]}, "invalid_argument", "INVALID_FIELDS", {"slot_ids[0]"}),
    ("JoinWaitingList", {}, "not_found", "APPOINTMENT_UNKNOWN", set()),
    ("JoinWaitingList", {"appointmentId": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"appointment_id"}),
    ("JoinWaitingList", {"noticeHours": -1}, "invalid_argument", "INVALID_FIELDS", {"notice_hours"}),
    ("JoinWaitingList", {"noticeHours": 337}, "invalid_argument", "INVALID_FIELDS", {"notice_hours"}),
    ("LeaveWaitingList", {}, "not_found", "APPOINTMENT_UNKNOWN", set()),
    ("LeaveWaitingList", {"appointmentId": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"appointment_id"}),
    ("BookAppointment", {"claimRef": ""}, "invalid_argument", "INVALID_FIELDS", {"claim_ref"}),
    ("BookAppointment", {"requestId": ""}, "invalid_argument", "INVALID_FIELDS", {"request_id"}),
    ("BookAppointment", {"requestId": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"request_id"}),
    ("BookAppointment", {"slotId": NO_SLOT}, "invalid_argument", "INVALID_FIELDS", {"slot_id", "earliest"}),
    ("BookAppointment", {"earliest": False}, "invalid_argument", "INVALID_FIELDS", {"slot_id", "earliest"}),
    ("BookAppointment", {"earliest": False, "slotId": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"slot_id"}),
    ("BookAppointment", {"earliest": False, "slotId": NOBODYS}, "invalid_argument", "INVALID_FIELDS", {"slot_id"}),
    ("BookAppointment", {"earliest": False, "slotId": NO_SLOT}, "not_found", "SLOT_UNKNOWN", {"slot_id"}),
    ("BookAppointment", {"postcode": ""}, "invalid_argument", "INVALID_FIELDS", {"postcode"}),
    ("BookAppointment", {"postcode": "SECRET1"}, "invalid_argument", "MALFORMED_POSTCODE", {"postcode"}),
    ("BookAppointment", {"postcode": GUERNSEY}, "failed_precondition", "CHANNEL_ISLANDS", {"postcode"}),
    ("BookAppointment", {"postcode": "im1-1aa"}, "failed_precondition", "ISLE_OF_MAN", {"postcode"}),
    ("BookAppointment", {"postcode": "BFPO 140"}, "failed_precondition", "BFPO", {"postcode"}),
    ("BookAppointment", {"postcode": "ZZ1 9ZZ"}, "invalid_argument", "POSTCODE_UNKNOWN", {"postcode"}),
    ("BookAppointment", {"postcode": BELFAST}, "failed_precondition", "NORTHERN_IRELAND", {"postcode"}),
    ("BookAppointment", {"needs": [0]}, "invalid_argument", "INVALID_FIELDS", {"needs[0]"}),
    ("BookAppointment", {"needs": ["APPOINTMENT_NEED_WELSH"]}, "failed_precondition", "NO_SLOT_FREE", set()),
    ("BookAppointment", {"claimRef": "C00000000010"}, "not_found", "CLAIM_UNKNOWN", set()),
    ("BookAppointment", {"claimRef": "CW0THDRAWN00"}, "failed_precondition", "CLAIM_NOT_OPEN", set()),
    ("BookAppointment", {"claimRef": "CMA1NTENANCE"}, "failed_precondition", "NO_INTERVIEW_NEEDED", set()),
    ("MoveAppointment", {}, "not_found", "APPOINTMENT_UNKNOWN", set()),
    ("MoveAppointment", {"slotId": ""}, "invalid_argument", "INVALID_FIELDS", {"slot_id"}),
    (
        "MoveAppointment",
        {"slotId": "SECRET1", "appointmentId": "SECRET1"},
        "invalid_argument",
        "INVALID_FIELDS",
        {"slot_id", "appointment_id"},
    ),
    ("MoveAppointment", {"version": 0}, "invalid_argument", "INVALID_FIELDS", {"version"}),
    ("CancelAppointment", {}, "not_found", "APPOINTMENT_UNKNOWN", set()),
    ("CancelAppointment", {"reason": ""}, "invalid_argument", "INVALID_FIELDS", {"reason"}),
    ("CancelAppointment", {"appointmentId": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"appointment_id"}),
    ("RecordAttendance", {}, "not_found", "APPOINTMENT_UNKNOWN", set()),
    ("RecordAttendance", {"attended": None}, "invalid_argument", "INVALID_FIELDS", {"attended"}),
    ("RecordAttendance", {"requestId": ""}, "invalid_argument", "INVALID_FIELDS", {"request_id"}),
    ("PublishRota", {"officeCode": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office_code"}),
    ("PublishRota", {"assessorId": "SECRET1"}, "not_found", "ASSESSOR_UNKNOWN", {"assessor_id"}),
    ("RecordAbsence", {"assessorId": "SECRET1"}, "not_found", "ASSESSOR_UNKNOWN", {"assessor_id"}),
    ("RecordAbsence", {"until": AWAY["from"]}, "invalid_argument", "INVALID_FIELDS", {"until"}),
    ("RecordAbsence", {"until": "2020-01-01T00:00:00Z"}, "invalid_argument", "INVALID_FIELDS", {"until"}),
    ("RecordAbsence", {"from": "2020-01-01T00:00:00Z"}, "invalid_argument", "INVALID_FIELDS", {"from"}),
    ("RecordAbsence", {"until": "2035-01-01T00:00:00Z"}, "invalid_argument", "INVALID_FIELDS", {"until"}),
    ("RecordAbsence", {"from": None}, "invalid_argument", "INVALID_FIELDS", {"from"}),
    ("RecordAbsence", {"reason": ""}, "invalid_argument", "INVALID_FIELDS", {"reason"}),
    ("CancelAbsence", {"assessorId": "SECRET1"}, "not_found", "ASSESSOR_UNKNOWN", {"assessor_id"}),
    ("CancelAbsence", {}, "failed_precondition", "NOT_ABSENT", set()),
    ("CloseOffice", {"officeCode": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office_code"}),
    ("CloseOffice", {"until": AWAY["from"]}, "invalid_argument", "INVALID_FIELDS", {"until"}),
    ("ReopenOffice", {"officeCode": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office_code"}),
    ("ReopenOffice", {}, "failed_precondition", "NOT_CLOSED", set()),
    ("ListNotMoved", {"officeCode": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office_code"}),
    ("ListNotMoved", {"pageToken": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"page_token"}),
    ("ListNotMoved", {"pageSize": -1}, "invalid_argument", "INVALID_FIELDS", {"page_size"}),
    ("PublishRota", {"requestId": ""}, "invalid_argument", "INVALID_FIELDS", {"request_id"}),
    ("PublishRota", {"shifts": []}, "invalid_argument", "INVALID_FIELDS", {"shifts"}),
    ("GetAppointment", {}, "not_found", "APPOINTMENT_UNKNOWN", set()),
    ("GetAppointment", {"claimRef": "", "appointmentId": NOBODYS}, "not_found", "APPOINTMENT_UNKNOWN", set()),
    (
        "GetAppointment",
        {"appointmentId": NOBODYS},
        "invalid_argument",
        "INVALID_FIELDS",
        {"appointment_id", "claim_ref"},
    ),
    ("GetAppointment", {"claimRef": ""}, "invalid_argument", "INVALID_FIELDS", {"appointment_id", "claim_ref"}),
    (
        "GetAppointment",
        {"claimRef": "", "appointmentId": "SECRET1"},
        "invalid_argument",
        "INVALID_FIELDS",
        {"appointment_id"},
    ),
    ("ListAppointments", {"claimRef": ""}, "invalid_argument", "INVALID_FIELDS", {"claim_ref", "office", "assessor"}),
    ("ListAppointments", {"day": {"year": 2026, "month": 2, "day": 30}}, "invalid_argument", "INVALID_FIELDS", {"day"}),
    (
        "ListAppointments",
        {"day": {"year": 9999, "month": 12, "day": 31}},
        "invalid_argument",
        "INVALID_FIELDS",
        {"day"},
    ),
    ("ListAppointments", {"pageSize": -1}, "invalid_argument", "INVALID_FIELDS", {"page_size"}),
    ("ListAppointments", {"pageToken": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"page_token"}),
    ("ListAppointments", {"office": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office"}),
    ("ListAppointments", {"assessor": "SECRET1"}, "not_found", "ASSESSOR_UNKNOWN", {"assessor"}),
    ("GetDiaryLinks", {"assessor": "SECRET1"}, "not_found", "ASSESSOR_UNKNOWN", {"assessor"}),
    ("GetOfficeLoad", {"officeCode": "699999"}, "not_found", "OFFICE_UNKNOWN", {"office_code"}),
    ("GetOfficeLoad", {"pageToken": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"page_token"}),
    ("CreateDiaryLink", {"requestId": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"request_id"}),
    ("RevokeDiaryLink", {"linkId": ""}, "invalid_argument", "INVALID_FIELDS", {"link_id"}),
    ("RevokeDiaryLink", {"linkId": "SECRET1"}, "invalid_argument", "INVALID_FIELDS", {"link_id"}),
    ("RevokeDiaryLink", {}, "not_found", "LINK_UNKNOWN", set()),
]


def test_every_bad_request_gets_its_code_its_reason_and_its_fields(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    intake.open("CW0THDRAWN00")
    intake.close("CW0THDRAWN00")
    intake.open("CMA1NTENANCE", schemes=("CHILD_MAINTENANCE",))
    token = tokens.issue("OPERATOR", "SERVICE_MANAGER", "ASSESSOR", subject="ALE02001")

    for method, change, code, reason, fields in REFUSALS:
        answer = door(method, VALID[method] | change, token)
        assert (answer.code, answer.reason, answer.fields) == (code, reason, fields), (method, change)
        assert not [text for text in ("SECRET1", GUERNSEY, BELFAST, LEEDS) if text in answer.text], (method, change)


def test_each_field_that_names_an_office_or_an_assessor_is_refused_for_an_unknown_one() -> None:
    methods = scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"].methods
    naming = {
        (method.name, field.name)
        for method in methods
        for field in method.input_type.fields
        if field.name.startswith(("office", "assessor"))
    }
    refused = {
        (method, field)
        for method, _, _, reason, fields in REFUSALS
        if reason in ("OFFICE_UNKNOWN", "ASSESSOR_UNKNOWN")
        for field in fields
    }

    # Who joins the waiting list has an appointment first: test_waiting_list.py names an unknown office.
    assert naming - refused == {("JoinWaitingList", "office_codes")}


def test_no_method_is_served_without_a_token(door: Any) -> None:
    assert {method: door(method, body, "").code for method, body in VALID.items()} == dict.fromkeys(
        VALID, "unauthenticated"
    )


def test_roles_that_the_contract_does_not_allow_are_refused(door: Any, tokens: Tokens) -> None:
    for method, body in VALID.items():
        for role in ROLES - ALLOWED[method]:
            answer = door(method, body, tokens.issue(role))
            assert (answer.code, answer.reason) == ("permission_denied", "ROLE"), (method, role)


def test_every_role_that_the_contract_allows_is_served(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    booked = door("BookAppointment", BOOKING, tokens.issue("OPERATOR")).body["appointment"]

    for method, roles in ALLOWED.items():
        for role in roles:
            answer = door(method, VALID[method], tokens.issue(role, office=booked["office"]["code"]))
            served = answer.code == "ok" or answer.reason in BEYOND_THE_ROLE
            assert served, (method, role)


@pytest.mark.parametrize("office", [{"office": "600031"}, {}])
def test_an_assessor_does_not_see_another_offices_appointment(
    door: Any, tokens: Tokens, intake: Any, office: Any
) -> None:
    intake.open(CLAIM)
    door("BookAppointment", BOOKING, tokens.issue("OPERATOR"))

    answer = door("GetAppointment", {"claimRef": CLAIM}, tokens.issue("ASSESSOR", **office))

    assert (answer.code, answer.reason) == ("permission_denied", "OTHER_OFFICE")


@pytest.mark.parametrize(("other_role", "code"), [("SERVICE_MANAGER", "ok"), ("COUNCIL_OFFICER", "permission_denied")])
def test_an_assessor_with_a_second_role_has_the_rights_of_the_wider_one(
    door: Any, tokens: Tokens, intake: Any, other_role: str, code: str
) -> None:
    intake.open(CLAIM)
    door("BookAppointment", BOOKING, tokens.issue("OPERATOR"))

    answer = door("GetAppointment", {"claimRef": CLAIM}, tokens.issue("ASSESSOR", other_role, office="600031"))

    assert answer.code == code


def test_the_same_request_id_with_another_body_is_refused(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    door("BookAppointment", BOOKING, token)

    answer = door("BookAppointment", BOOKING | {"channel": "CHANNEL_TELEPHONE"}, token)

    assert (answer.code, answer.reason) == ("already_exists", "REQUEST_ID_REUSED")


def test_a_second_appointment_for_a_claim_is_refused(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    token = tokens.issue("OPERATOR")
    door("BookAppointment", BOOKING, token)

    answer = door("BookAppointment", BOOKING | {"requestId": str(uuid4())}, token)

    assert (answer.code, answer.reason) == ("already_exists", "ALREADY_BOOKED")


def test_a_slot_of_another_claim_is_refused(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    intake.open("C00000000010")
    token = tokens.issue("OPERATOR")
    slot_id = door("FindSlots", {"postcode": LEEDS}, token).body["slots"][0]["slotId"]
    by_slot = {"slotId": slot_id}
    first = door("BookAppointment", {"claimRef": CLAIM, "requestId": str(uuid4())} | by_slot, token)

    answer = door("BookAppointment", {"claimRef": "C00000000010", "requestId": str(uuid4())} | by_slot, token)

    assert first.code == "ok"
    assert (answer.code, answer.reason) == ("already_exists", "SLOT_TAKEN")


def test_without_intake_nothing_is_booked(door: Any, tokens: Tokens, intake: Any) -> None:
    intake.open(CLAIM)
    intake.is_away = True
    token = tokens.issue("OPERATOR")

    answer = door("BookAppointment", BOOKING, token)

    assert answer.code == "unavailable"
    assert door("GetAppointment", {"claimRef": CLAIM}, token).code == "not_found"
