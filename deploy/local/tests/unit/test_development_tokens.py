"""The tokens that the `cms` command makes are such as the services take."""

from pathlib import Path

import jwt

from chassis.identity import Verifier
from cms_local import keys
from cms_local.layout import SERVICES


def test_the_services_take_every_token_that_is_made_for_development(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    staff = keys.issue(tmp_path, "OPERATOR", subject="OP000001", grade="AO")
    callers = [*SERVICES, "telephone-switch"]
    made = {caller: (tmp_path / f"{caller}.token").read_text() for caller in callers} | {"OP000001": staff}

    verifier = Verifier(tmp_path / "jwks.json", issuer=keys.ISSUER)

    assert {subject: verifier.identify(f"Bearer {token}").subject for subject, token in made.items()} == {
        subject: subject for subject in made
    }


def test_a_token_for_development_says_that_it_is_an_access_token(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])

    token = keys.issue(tmp_path, "OPERATOR", subject="OP000001")

    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
