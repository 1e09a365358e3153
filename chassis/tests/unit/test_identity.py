"""A caller is who a token, signed by the issuer for this platform and still good, says."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.errors import Unauthenticated
from chassis.identity import LEEWAY_SECONDS, ServiceTokens, Verifier
from chassis.key_files import KeysUnusable
from chassis.testing import ISSUER, Tokens

HERE = "intake-svc"


@pytest.fixture
def verifier(tokens: Tokens) -> Verifier:
    return Verifier(tokens.jwks_file, issuer=ISSUER, audience=HERE)


def refusal(verifier: Verifier, authorization: str | None) -> str:
    with pytest.raises(Unauthenticated) as refused:
        verifier.identify(authorization)
    return refused.value.reason


def test_a_valid_token_identifies_the_caller(verifier: Verifier, tokens: Tokens) -> None:
    token = tokens.issue("ASSESSOR", subject="AS1", office="LDS", grade="EO")

    caller = verifier.identify(f"Bearer {token}")

    assert (caller.subject, caller.office, caller.grade, caller.authority) == ("AS1", "LDS", "EO", None)
    assert caller.roles == frozenset({"ASSESSOR"})
    assert caller.token == token
    assert caller.has("ASSESSOR")
    assert not caller.has("OPERATOR")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc"])
def test_a_call_without_a_bearer_token_is_refused(verifier: Verifier, authorization: str | None) -> None:
    assert refusal(verifier, authorization) == "NO_TOKEN"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": "cms3"},
        {"aud": ["scheduling-svc", "assessment-svc"]},
        {"aud": []},
        {"aud": [HERE, 1]},
        {"aud": f"{HERE}-2"},
        {"iss": "another"},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"exp": 10**400},
        {"exp": None},
        {"exp": "soon"},
        {"sub": None},
        {"sub": "NINECHARS"},
        {"sub": "lower"},
        {"sub": ""},
        {"sub": "OP1\n"},
        {"sub": "OP1\x00"},
        {"office": "6000\x0021"},
        {"authority": "E" * 33},
        {"grade": ["AO"]},
        {"roles": None},
        {"roles": "OPERATOR"},
        {"roles": [1]},
    ],
)
def test_an_unsound_or_foreign_token_is_refused(verifier: Verifier, tokens: Tokens, claims: dict[str, Any]) -> None:
    assert refusal(verifier, f"Bearer {tokens.issue('OPERATOR', **claims)}") == "BAD_TOKEN"


def body(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": ISSUER, "aud": HERE, "sub": "OP1", "roles": ["OPERATOR"], "iat": now, "exp": now + 60}
    return good | claims


@pytest.mark.parametrize(("claim", "seconds_from_now"), [("iat", 20), ("nbf", 20), ("exp", -10)])
def test_the_issuers_clock_may_differ_by_half_a_minute(
    verifier: Verifier, tokens: Tokens, claim: str, seconds_from_now: int
) -> None:
    claims: dict[str, Any] = {claim: int(time.time()) + seconds_from_now}
    token = tokens.issue("OPERATOR", **claims)

    assert verifier.identify(f"Bearer {token}").has("OPERATOR")


@pytest.mark.parametrize(("claim", "seconds_from_now"), [("exp", -60), ("iat", 60), ("iat", -24 * 3600), ("nbf", 600)])
def test_a_token_that_is_expired_or_too_early_or_too_old_is_refused(
    verifier: Verifier, tokens: Tokens, claim: str, seconds_from_now: int
) -> None:
    claims: dict[str, Any] = {claim: int(time.time()) + seconds_from_now}
    token = tokens.issue("OPERATOR", **claims)

    assert refusal(verifier, f"Bearer {token}") == "BAD_TOKEN"


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_an_access_token_is_known_by_its_type(verifier: Verifier, tokens: Tokens, kind: str) -> None:
    token = jwt.encode(body(), tokens.key, algorithm="EdDSA", headers={"kid": "tests", "typ": kind})

    assert verifier.identify(f"Bearer {token}").subject == "OP1"


@pytest.mark.parametrize("kind", [None, "", "JWT", "logout+jwt", "dpop+jwt", "secevent+jwt", 1, ["at+jwt"]])
def test_a_token_of_another_type_is_refused(verifier: Verifier, tokens: Tokens, kind: Any) -> None:
    token = signed(tokens, {"kid": "tests", "typ": kind, "alg": "EdDSA"}, body())

    assert refusal(verifier, f"Bearer {token}") == "BAD_TOKEN"


def test_a_token_without_a_type_is_refused(verifier: Verifier, tokens: Tokens) -> None:
    assert refusal(verifier, f"Bearer {signed(tokens, {'kid': 'tests', 'alg': 'EdDSA'}, body())}") == "BAD_TOKEN"


def signed(tokens: Tokens, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with any header, which the library would not write."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    parts.append(base64.urlsafe_b64encode(tokens.key.sign(b".".join(parts))).rstrip(b"="))
    return b".".join(parts).decode()


def test_a_services_token_lives_shorter_than_a_persons(tokens: Tokens) -> None:
    verifier = Verifier(
        tokens.jwks_file, issuer=ISSUER, audience=HERE, longest_seconds=1000, longest_service_seconds=100
    )

    assert verifier.identify(f"Bearer {tokens.issue('OPERATOR', seconds=1000)}").has("OPERATOR")
    assert verifier.identify(f"Bearer {tokens.issue('SERVICE', subject='la-notifier', seconds=100)}").is_service
    for too_long in (
        tokens.issue("OPERATOR", seconds=1002),
        tokens.issue("SERVICE", subject="la-notifier", seconds=102),
    ):
        assert refusal(verifier, f"Bearer {too_long}") == "BAD_TOKEN"


def test_a_token_without_a_signature_is_refused(verifier: Verifier) -> None:
    unsigned = jwt.encode(body(), "", algorithm="none", headers={"kid": "tests", "typ": "at+jwt"})

    assert refusal(verifier, f"Bearer {unsigned}") == "BAD_TOKEN"


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(verifier: Verifier, tokens: Tokens) -> None:
    public = json.loads(tokens.jwks_file.read_text())["keys"][0]["x"]
    forged = jwt.encode(body(), public, algorithm="HS256", headers={"kid": "tests", "typ": "at+jwt"})

    assert refusal(verifier, f"Bearer {forged}") == "BAD_TOKEN"


@pytest.mark.parametrize("key_id", ["tests", "unknown", ""])
def test_a_token_signed_by_another_key_is_refused(verifier: Verifier, key_id: str) -> None:
    foreign = jwt.encode(
        body(), Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": key_id, "typ": "at+jwt"}
    )

    assert refusal(verifier, f"Bearer {foreign}") == "BAD_TOKEN"


DEEP_HEADER = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5_000).decode().rstrip("=")


@pytest.mark.parametrize("more", [",", ",Bearer", " ", ",Bearer {token}", "\x00", "\n", "="])
def test_a_token_with_anything_behind_it_is_refused(verifier: Verifier, tokens: Tokens, more: str) -> None:
    token = tokens.issue("OPERATOR")

    assert refusal(verifier, f"Bearer {token}{more.format(token=token)}") == "BAD_TOKEN"


@pytest.mark.parametrize("token", ["x", "a.b.c", "é.é.é", "." * 10_000, f"{DEEP_HEADER}.e30.AA"])
def test_a_malformed_token_is_refused(verifier: Verifier, token: str) -> None:
    assert refusal(verifier, f"Bearer {token}") == "BAD_TOKEN"


def test_a_valid_token_is_remembered_until_it_expires(
    verifier: Verifier, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tokens.issue("OPERATOR", seconds=60)
    known = verifier.identify(f"Bearer {token}")
    assert verifier.identify(f"Bearer {token}") is known

    expiry = time.time() + 60 + LEEWAY_SECONDS
    monkeypatch.setattr("chassis.identity.time.time", lambda: expiry)

    assert verifier._trust.remembered(token, HERE) is None


def test_the_number_of_remembered_tokens_is_bounded(
    verifier: Verifier, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.identity._REMEMBERED", 2)
    given = [tokens.issue("OPERATOR", subject=f"OP{number}") for number in range(3)]

    for token in given:
        verifier.identify(f"Bearer {token}")

    assert [verifier._trust.remembered(token, HERE) is not None for token in given] == [False, True, True]


def test_a_new_key_is_accepted_beside_the_old_one_after_a_reload(verifier: Verifier, tokens: Tokens) -> None:
    before = tokens.issue("OPERATOR", subject="BEFORE")
    tokens.change_key("second", withdraw=False)
    after = tokens.issue("OPERATOR", subject="AFTER")
    assert refusal(verifier, f"Bearer {after}") == "BAD_TOKEN"

    verifier.read_again()

    assert [verifier.identify(f"Bearer {token}").subject for token in (before, after)] == ["BEFORE", "AFTER"]


def test_a_withdrawn_key_invalidates_remembered_tokens(verifier: Verifier, tokens: Tokens) -> None:
    seen, unseen = tokens.issue("OPERATOR", subject="SEEN"), tokens.issue("OPERATOR", subject="UNSEEN")
    verifier.identify(f"Bearer {seen}")

    tokens.change_key("second", withdraw=True)
    verifier.read_again()

    assert refusal(verifier, f"Bearer {seen}") == refusal(verifier, f"Bearer {unseen}") == "BAD_TOKEN"
    assert verifier.identify(f"Bearer {tokens.issue('OPERATOR')}").subject == "OP000001"


def test_a_key_replaced_under_the_same_id_is_no_longer_accepted(verifier: Verifier, tokens: Tokens) -> None:
    seen = tokens.issue("OPERATOR")
    verifier.identify(f"Bearer {seen}")

    tokens.change_key("tests", withdraw=True)
    verifier.read_again()

    assert refusal(verifier, f"Bearer {seen}") == "BAD_TOKEN"


def test_a_token_whose_key_is_withdrawn_while_it_is_being_checked_is_not_remembered(
    verifier: Verifier, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, decode = tokens.issue("OPERATOR"), jwt.decode

    def withdraw_meanwhile(*given: Any, **more: Any) -> Any:
        claims = decode(*given, **more)
        tokens.change_key("second", withdraw=True)
        verifier.read_again()
        return claims

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("chassis.identity.jwt.decode", withdraw_meanwhile)
        verifier.identify(f"Bearer {token}")

    assert refusal(verifier, f"Bearer {token}") == "BAD_TOKEN"


@pytest.fixture
def revoked_file(tmp_path: Path) -> Path:
    path = tmp_path / "revoked.json"
    path.write_text('{"revoked": []}')
    return path


@pytest.fixture
def revoking(tokens: Tokens, revoked_file: Path) -> Verifier:
    return Verifier(tokens.jwks_file, issuer=ISSUER, audience=HERE, revoked_file=revoked_file)


def revoke(path: Path, *revoked: dict[str, Any]) -> None:
    path.with_suffix(".new").write_text(json.dumps({"revoked": revoked}))
    path.with_suffix(".new").replace(path)


def test_a_revoked_subjects_tokens_end_and_later_ones_count(
    revoking: Verifier, tokens: Tokens, revoked_file: Path
) -> None:
    now = int(time.time())
    seen, unseen = (tokens.issue("OPERATOR", subject="OP1", iat=now - 5, jti=jti) for jti in ("seen", "unseen"))
    other = tokens.issue("OPERATOR", subject="OP2", iat=now - 5)
    revoking.identify(f"Bearer {seen}")

    revoke(revoked_file, {"sub": "OP1", "not_before": now - 3}, {"sub": "OP1", "not_before": now - 60})
    revoking.read_again()

    assert refusal(revoking, f"Bearer {seen}") == refusal(revoking, f"Bearer {unseen}") == "REVOKED"
    assert revoking.identify(f"Bearer {other}").subject == "OP2"
    assert revoking.identify(f"Bearer {tokens.issue('OPERATOR', subject='OP1', iat=now - 2)}").subject == "OP1"


def test_one_token_is_revoked_by_its_id(revoking: Verifier, tokens: Tokens, revoked_file: Path) -> None:
    first, second = (tokens.issue("OPERATOR", jti=jti) for jti in ("first", "second"))
    revoking.identify(f"Bearer {first}")

    revoke(revoked_file, {"jti": "first"})
    revoking.read_again()

    assert refusal(revoking, f"Bearer {first}") == "REVOKED"
    assert revoking.identify(f"Bearer {second}").subject == "OP000001"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"revoked": [{"subject": "OP1"}]}', '{"revoked": [{"sub": 1}]}', "\xff"]
)
def test_a_broken_list_leaves_the_revocations_unchanged(
    revoking: Verifier, tokens: Tokens, revoked_file: Path, text: str
) -> None:
    token = tokens.issue("OPERATOR", jti="gone")
    revoke(revoked_file, {"jti": "gone"})
    revoking.read_again()

    revoked_file.write_text(text, encoding="latin-1")
    with pytest.raises(KeysUnusable):
        revoking.read_again()

    assert refusal(revoking, f"Bearer {token}") == "REVOKED"


def test_an_unchanged_file_is_not_read_again(verifier: Verifier, tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR")
    known = verifier.identify(f"Bearer {token}")

    verifier.read_again()

    assert verifier.identify(f"Bearer {token}") is known


RSA_KEY = {"kty": "RSA", "n": "AQAB" * 90, "e": "AQAB", "kid": "tests", "alg": "RS256"}
UNUSABLE = [
    "",
    "{",
    "null",
    "[]",
    '{"keys": []}',
    '{"keys": 3}',
    '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 7, "kid": "tests"}]}',
    json.dumps({"keys": [RSA_KEY]}),
    "[" * 100_000,
    "\x00",
]


@pytest.mark.parametrize("text", UNUSABLE, ids=lambda text: text[:20])
def test_a_broken_file_leaves_the_keys_unchanged(verifier: Verifier, tokens: Tokens, text: str) -> None:
    seen, unseen = tokens.issue("OPERATOR", subject="SEEN"), tokens.issue("OPERATOR", subject="UNSEEN")
    verifier.identify(f"Bearer {seen}")

    tokens.jwks_file.write_text(text)
    for _ in range(2):  # it is still broken when it is looked at again
        with pytest.raises(KeysUnusable):
            verifier.read_again()
    assert [verifier.identify(f"Bearer {token}").subject for token in (seen, unseen)] == ["SEEN", "UNSEEN"]

    tokens.change_key("second", withdraw=True)
    verifier.read_again()

    assert refusal(verifier, f"Bearer {seen}") == "BAD_TOKEN"


def test_a_missing_file_leaves_the_keys_unchanged(verifier: Verifier, tokens: Tokens) -> None:
    tokens.jwks_file.unlink()

    with pytest.raises(FileNotFoundError):
        verifier.read_again()

    assert verifier.identify(f"Bearer {tokens.issue('OPERATOR')}").subject == "OP000001"


def test_a_verifier_needs_a_key_at_the_start(tokens: Tokens) -> None:
    tokens.jwks_file.write_text('{"keys": []}')

    with pytest.raises(KeysUnusable):
        Verifier(tokens.jwks_file, issuer=ISSUER, audience=HERE)


def test_a_service_is_named_by_its_subject(verifier: Verifier, tokens: Tokens) -> None:
    caller = verifier.identify(f"Bearer {tokens.issue('SERVICE', subject='legacy-gateway')}")

    assert caller.subject == "legacy-gateway"


@pytest.mark.parametrize(
    ("roles", "subject"),
    [
        (["SERVICE"], "la-notifier\x00"),
        (["SERVICE"], "La Notifier"),
        (["SERVICE"], "x" * 65),
        (["SERVICE"], ""),
        (["SERVICE", "OPERATOR"], "la-notifier"),
        (["OPERATOR", "SERVICE"], "OP1"),
    ],
)
def test_a_services_token_names_a_service_and_no_other_role(
    verifier: Verifier, tokens: Tokens, roles: list[str], subject: str
) -> None:
    assert refusal(verifier, f"Bearer {tokens.issue(*roles, sub=subject)}") == "BAD_TOKEN"


def test_a_token_is_good_at_the_services_that_it_names_and_at_no_other(tokens: Tokens) -> None:
    token = tokens.issue("OPERATOR", aud=["intake-svc", "scheduling-svc"])
    at = {
        name: Verifier(tokens.jwks_file, issuer=ISSUER, audience=name)
        for name in ("intake-svc", "scheduling-svc", "assessment-svc")
    }

    assert at["intake-svc"].identify(f"Bearer {token}").subject == "OP000001"
    assert at["scheduling-svc"].identify(f"Bearer {token}").subject == "OP000001"
    assert refusal(at["assessment-svc"], f"Bearer {token}") == "BAD_TOKEN"


def test_a_service_reads_its_tokens_again_when_they_are_renewed(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text('{"intake-svc": "first", "legacy-gateway": "other"}')
    own = ServiceTokens(path)
    assert (own.to("intake-svc"), own.to("legacy-gateway")) == ("first", "other")

    renewed = tmp_path / "renewed"
    renewed.write_text('{"intake-svc": "second"}')
    renewed.replace(path)

    assert own.to("intake-svc") == "second"
    with pytest.raises(KeyError):
        own.to("legacy-gateway")
