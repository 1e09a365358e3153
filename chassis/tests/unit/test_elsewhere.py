import pytest

from chassis.elsewhere import elsewhere


@pytest.mark.parametrize(
    ("postcode", "reason"),
    [
        ("BT1 5GS", "NORTHERN_IRELAND"),
        ("bt1-5gs", "NORTHERN_IRELAND"),
        ("IM1 1AA", "ISLE_OF_MAN"),
        ("JE2 3AB", "CHANNEL_ISLANDS"),
        ("GY1\u00a01AA", "CHANNEL_ISLANDS"),
        ("BF1 2AT", "BFPO"),
        ("BFPO 140", "BFPO"),
        ("bfpo", "BFPO"),
    ],
)
def test_a_place_outside_great_britain_is_known_by_its_letters(postcode: str, reason: str) -> None:
    place = elsewhere(postcode)

    assert place is not None
    assert place.reason == reason
    assert "Who to ask" in place.told.en
    assert "Pwy i'w holi" in place.told.cy


@pytest.mark.parametrize(
    "postcode", ["LS1 4AP", "B1 2ND", "BD1 1AA", "G1 1AB", "IG1 1AA", "BB1 1AA", "BTX", "", "BT" * 40]
)
def test_a_postcode_of_great_britain_and_what_is_none_is_not_elsewhere(postcode: str) -> None:
    assert elsewhere(postcode) is None
