import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.references import ALPHABET, is_claim_reference, new_claim_reference

references = st.randoms(use_true_random=False).map(new_claim_reference)


def test_the_alphabet_is_crockfords() -> None:
    assert set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") - set(ALPHABET) == set("ILOU")


def test_the_check_character_is_luhns_over_the_ten_before_it() -> None:
    # 1 in the last place counts twice: 2. From 32 that leaves 30, which is Y.
    assert is_claim_reference("C0000000001Y")
    # Z (31) in the last place counts twice: 62, whose digits to the base 32 are 1 and 30. A before it counts 10.
    # That makes 41; from 64 it leaves 23, which is Q.
    assert is_claim_reference("C00000000AZQ")
    assert not is_claim_reference("C00000000AZR")


@given(reference=references)
def test_a_new_reference_is_one(reference: str) -> None:
    assert len(reference) == 12
    assert is_claim_reference(reference)


@given(reference=references, place=st.integers(1, 11), wrong=st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_found(reference: str, place: int, wrong: str) -> None:
    slip = reference[:place] + wrong + reference[place + 1 :]

    assert is_claim_reference(slip) == (slip == reference)


@pytest.mark.parametrize(
    "text", ["", "C", "c0000000001y", "0000000001Y", "D0000000001Y", "C00000000OLU", "C０000000001Y"]
)
def test_anything_else_is_no_reference(text: str) -> None:
    assert not is_claim_reference(text)


@given(text=st.text(max_size=14))
def test_no_text_makes_the_check_fail(text: str) -> None:
    assert is_claim_reference(text) in (True, False)


def test_references_from_one_source_differ() -> None:
    source = random.Random(7)

    assert len({new_claim_reference(source) for _ in range(1_000)}) == 1_000
