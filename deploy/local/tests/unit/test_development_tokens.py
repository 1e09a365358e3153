"""The tokens and keys that the `cms` command makes are such as the services and the stand-ins take."""

from pathlib import Path

import asyncssh
import jwt
import paramiko

from chassis.identity import Verifier
from cms_local import keys
from cms_local.layout import SERVICES


def test_the_services_take_every_token_that_is_made_for_development(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    staff = keys.issue(tmp_path, "OPERATOR", subject="OP000001", grade="AO")
    callers = {name: name for name in (*SERVICES, "telephone-switch")} | {"ROTAS001": "rotas"}
    made = {subject: (tmp_path / f"{name}.token").read_text() for subject, name in callers.items()} | {
        "OP000001": staff
    }

    verifier = Verifier(tmp_path / "jwks.json", issuer=keys.ISSUER)

    assert {subject: verifier.identify(f"Bearer {token}").subject for subject, token in made.items()} == {
        subject: subject for subject in made
    }


def test_a_token_for_development_says_that_it_is_an_access_token(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])

    token = keys.issue(tmp_path, "OPERATOR", subject="OP000001")

    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


def test_the_keys_of_the_file_exchange_are_read_by_both_ends_and_by_nobody_else(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in {".pem", ".pub"}}

    ours = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "pscs-user.pem"))
    authorized = asyncssh.read_public_key(tmp_path / "pscs-user.pub")
    theirs = asyncssh.read_private_key(tmp_path / "pscs-host.pem")
    kind, known, _ = (tmp_path / "pscs-host.pub").read_text().split()

    assert authorized.public_data == ours.asbytes()
    assert f"{kind} {known}".encode() == theirs.export_public_key().strip()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    keys.make_keys(tmp_path, authority_codes=[])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in {".pem", ".pub"}} == made
