import random

from hypothesis import given
from hypothesis import strategies as st

from chassis.check_digit import is_claim_reference
from intake.domain.references import new_claim_reference


@given(random_source=st.randoms(use_true_random=False))
def test_a_new_reference_has_its_form_and_check_character(random_source: random.Random) -> None:
    assert is_claim_reference(new_claim_reference(random_source))


def test_references_from_one_source_differ() -> None:
    source = random.Random(7)

    assert len({new_claim_reference(source) for _ in range(1_000)}) == 1_000
