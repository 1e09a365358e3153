from typing import Any

import pytest

from chassis.postcodes import Postcodes
from legacy_gateway.domain import Facts
from legacy_gateway.service.payloads import authority_code

LEEDS, BRADFORD = "E08000035", "E08000032"


@pytest.mark.parametrize(
    ("postcode", "council", "code"),
    [
        ("LS1 3AB", None, LEEDS),
        ("LS1 3AB", BRADFORD, BRADFORD),
        ("LS1 9ZZ", BRADFORD, BRADFORD),
        ("LS1 9ZZ", None, None),
        ("nowhere", None, None),
    ],
)
def test_the_record_names_the_council_that_the_claimant_named_or_the_postcodes(
    postcodes: Postcodes, facts: Any, postcode: str, council: str | None, code: str | None
) -> None:
    known: Facts = facts(address={"lines": ["1 High Street", "Leeds"], "postcode": postcode}, council=council)

    assert authority_code(postcodes, known) == code
