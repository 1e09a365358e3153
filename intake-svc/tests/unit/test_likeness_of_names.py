"""Surnames that are alike have a sound in common."""

import pytest

from intake.domain.likeness import sounds


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "Mueller"),
        ("Müller", "Muller"),
        ("Mueller", "Muller"),
        ("Özil", "Oezil"),
        ("Weiß", "Weiss"),
        ("Sørensen", "Soerensen"),
        ("Smith", "Smyth"),
        ("Stephens", "Stevens"),
        ("O'Brien", "OBRIEN"),
        ("McDonald", "MacDonald"),
        ("Price-Jones", "Jones"),
        ("Price Jones", "Price-Jones"),
        ("Llewellyn", "Llywelyn"),
        ("Siôn", "Sion"),
        ("Łukasz", "Lukasz"),
        ("李", "Li"),
    ],
)
def test_surnames_that_are_alike_have_a_sound_in_common(one: str, other: str) -> None:
    assert sounds(one) & sounds(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Hughes", "Price"), ("Jones", "Evans"), ("Müller", "Schmidt"), ("Li", "Wu")]
)
def test_other_surnames_have_none_in_common(one: str, other: str) -> None:
    assert not sounds(one) & sounds(other)


def test_a_name_without_any_letter_has_no_sound() -> None:
    assert sounds("...") == frozenset()
