"""A rejection leads to words for the claimant, in both languages; where nobody can be asked they say so."""

import pytest

from legacy_gateway import mapping
from legacy_gateway.domain import System


@pytest.mark.parametrize(
    ("system", "code", "field", "english", "welsh"),
    [
        (System.ISCS, "IS0020", "IS-CAPITAL", "Ask how much capital", "Gofynnwch faint o gyfalaf"),
        (System.PSCS, "PS0021", "PD-SSP-ENDED", "Ask why sick pay ended", "Gofynnwch pam y daeth y tâl salwch"),
        (System.SFCS, "SF0001", "CM-NINO", "Ask for the National Insurance", "Gofynnwch am y rhif Yswiriant"),
        (System.JSAPS, "ES0090", "CM-TITLE", "Ask again, and check", "Gofynnwch eto, a gwiriwch"),
        (System.JSAPS, "BA0020", "JB-SIGNING-DAY", "Ask again, and check", "Gofynnwch eto, a gwiriwch"),
        (System.JSAPS, "BA0017", "JB-ES-LEGACY-REF", "Ask nothing.", "Peidiwch â gofyn dim."),
        (System.ISCS, "GW0003", "", "Ask nothing.", "Peidiwch â gofyn dim."),
    ],
)
def test_a_code_and_a_field_lead_to_what_to_ask(
    system: System, code: str, field: str, english: str, welsh: str
) -> None:
    message = mapping.refusal_message(system, code=code, field=field)

    asked = mapping.what_to_ask(code=message.code, question_id=message.question_id)

    assert asked.en.startswith(english)
    assert asked.cy.startswith(welsh)
