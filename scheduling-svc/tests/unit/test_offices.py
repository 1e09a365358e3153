from hypothesis import given
from hypothesis import strategies as st

from chassis.bank_holidays import Nation
from scheduling.data import load_offices
from scheduling.domain.offices import Channel, Need, Office, left_to_assessor, nearest_offices

OFFICES = load_offices()


def office(code: str = "600001", *, easting: int = 300000, northing: int = 200000, features: str = "") -> Office:
    return Office(
        code=code,
        name="Town",
        postcode="AA1 1AA",
        easting=easting,
        northing=northing,
        nation=Nation.WALES,
        features=frozenset(Need(word) for word in features.split()),
    )


def test_the_nearest_office_comes_first_with_its_distance_in_kilometres() -> None:
    near, far = office("600002", easting=303000, northing=204000), office("600001", easting=300000, northing=190000)

    found = nearest_offices([far, near], easting=300000, northing=200000)

    assert [(one.office.code, one.distance_km) for one in found] == [("600002", 5.0), ("600001", 10.0)]


def test_offices_at_the_same_distance_come_in_the_order_of_their_codes() -> None:
    found = nearest_offices([office("600002"), office("600001")], easting=300000, northing=200000)

    assert [one.office.code for one in found] == ["600001", "600002"]


def test_a_claimant_in_westminster_is_nearest_to_pimlico() -> None:
    found = nearest_offices(OFFICES, easting=529090, northing=179645)

    assert [one.office.name for one in found[:2]] == ["Pimlico", "Soho"]
    assert found[0].distance_km < 2


@given(easting=st.integers(0, 655500), northing=st.integers(0, 1213700))
def test_every_office_is_found_once_from_anywhere_and_in_order(easting: int, northing: int) -> None:
    found = nearest_offices(OFFICES, easting=easting, northing=northing)

    assert {one.office for one in found} == set(OFFICES)
    assert len(found) == len(OFFICES)
    assert [one.distance_km for one in found] == sorted(one.distance_km for one in found)


def test_what_the_office_does_not_meet_is_left_to_the_assessor() -> None:
    stepless = office(features="STEP_FREE")
    needs = [Need.STEP_FREE, Need.WELSH, Need.TEXTPHONE]

    assert left_to_assessor(needs, office=stepless, channel=Channel.OFFICE) == {Need.WELSH}
    assert left_to_assessor([Need.HEARING_LOOP], office=stepless, channel=Channel.OFFICE) == {Need.HEARING_LOOP}


def test_a_telephone_interview_needs_no_feature_of_the_building() -> None:
    needs = [Need.STEP_FREE, Need.HEARING_LOOP, Need.INTERPRETER]

    assert left_to_assessor(needs, office=office(), channel=Channel.TELEPHONE) == {Need.INTERPRETER}
