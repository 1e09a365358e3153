"""The tokens and keys that the `cms` command makes are such as the services and the stand-ins take."""

import json
import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import jwt
import paramiko
import pytest

from chassis.identity import Verifier
from chassis.signatures import Refused, Signatures, as_read
from chassis.testing import eventually
from cms_local import containers, keys
from cms_local.layout import SERVICES, STAND_INS


def test_the_services_take_every_token_that_is_made_for_them(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    made = {(called, service): token for service in SERVICES for called, token in tokens_of(tmp_path, service).items()}
    for one in STAND_INS.values():
        if one.calls:
            made[one.calls, one.subject or one.name] = (tmp_path / f"{one.name}.token").read_text()
    for called in SERVICES:
        made[called, "OP000001"] = keys.issue(tmp_path, "OPERATOR", subject="OP000001", grade="AO")

    verifiers = {name: Verifier(tmp_path / "jwks.json", issuer=keys.ISSUER, audience=name) for name in SERVICES}

    for (called, subject), token in made.items():
        assert verifiers[called].identify(f"Bearer {token}").subject == subject
    assert {("intake-svc", "telephone-switch"), ("scheduling-svc", "ROTAS001"), ("intake-svc", "la-notifier")} <= set(
        made
    )


def tokens_of(folder: Path, service: str) -> dict[str, str]:
    tokens: dict[str, str] = json.loads((folder / f"{service}.token").read_text())
    return tokens


def test_a_services_token_is_good_at_one_service_alone(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])

    for service in SERVICES:
        for called, token in tokens_of(tmp_path, service).items():
            assert unverified(token)["aud"] == [called]


def test_services_have_a_quarter_of_an_hour_and_people_a_working_day(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])

    def life(token: str) -> int:
        claims = unverified(token)
        return int(claims["exp"] - claims["iat"])

    assert {life(token) for service in SERVICES for token in tokens_of(tmp_path, service).values()} == {15 * 60}
    assert life((tmp_path / "rotas.token").read_text()) == 12 * 3600
    assert life(keys.issue(tmp_path, "OPERATOR", subject="OP000001")) == 12 * 3600


@pytest.mark.parametrize(("name", "seconds"), [("la-notifier", 15 * 60), ("rotas", 12 * 3600)])
def test_tokens_are_renewed_at_half_their_life(tmp_path: Path, name: str, seconds: int) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    path = tmp_path / f"{name}.token"
    before, half_ago = path.read_text(), time.time() - seconds / 2

    os.utime(path, (half_ago + 60, half_ago + 60))
    assert keys.renew_tokens(tmp_path) == []
    os.utime(path, (half_ago, half_ago))

    assert keys.renew_tokens(tmp_path) == [name]
    assert path.read_text() != before


def test_the_container_that_prepares_goes_on_renewing_tokens(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    os.utime(tmp_path / "rotas.token", (0, 0))
    before = (tmp_path / "rotas.token").read_text()
    stopping = threading.Event()
    keeping = threading.Thread(target=partial(containers.keep_tokens, tmp_path, stopping, pause_seconds=0.01))

    keeping.start()
    eventually(lambda: (tmp_path / "rotas.token").read_text() != before, what="another token")
    stopping.set()
    keeping.join()


def unverified(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


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
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o600}
    keys.make_keys(tmp_path, authority_codes=[])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in {".pem", ".pub"}} == made


def signatures(folder: Path, service: str) -> Signatures:
    own = keys.signing_key_file(folder, service)
    return Signatures(service, signing_key_file=own, signatories_file=folder / keys.SIGNATORIES)


def test_every_service_signs_by_a_key_of_its_own_that_all_others_know(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    before = {service: keys.signing_key_file(tmp_path, service).read_text() for service in SERVICES}
    keys.make_keys(tmp_path, authority_codes=[])

    hearer = signatures(tmp_path, "la-notifier")
    signed = {service: signatures(tmp_path, service).signed("s", {}) for service in SERVICES}

    assert {service: hearer.signatory("s", as_read(entry)) for service, entry in signed.items()} == {
        service: service for service in SERVICES
    }
    assert {service: keys.signing_key_file(tmp_path, service).read_text() for service in SERVICES} == before
    assert all(keys.signing_key_file(tmp_path, service).stat().st_mode & 0o077 == 0 for service in SERVICES)


def test_a_service_changes_its_signing_key_and_the_old_one_is_withdrawn_later(tmp_path: Path) -> None:
    keys.make_keys(tmp_path, authority_codes=[])
    hearer, source = signatures(tmp_path, "la-notifier"), signatures(tmp_path, "intake-svc")
    old = as_read(source.signed("s", {}))

    made = keys.change_signing_key(tmp_path, "intake-svc", until_published=lambda: None)
    hearer.read_again()
    source.read_again()
    new = as_read(source.signed("s", {}))
    assert made == new[b"signed_by"].decode() == "intake-svc/2"
    assert [hearer.signatory("s", fields) for fields in (old, new)] == ["intake-svc", "intake-svc"]

    assert keys.withdraw_signing_keys(tmp_path, "intake-svc") == ["intake-svc/1"]
    hearer.read_again()
    assert hearer.signatory("s", new) == "intake-svc"
    with pytest.raises(Refused, match="UNKNOWN_KEY"):
        hearer.signatory("s", old)
