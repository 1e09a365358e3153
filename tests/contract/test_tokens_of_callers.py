"""Both doors refuse an invalid token, whatever is wrong with it."""

import base64
import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, get_args

import grpc
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.identity import LEEWAY_SECONDS
from chassis.testing import eventually
from cms.intake.v1 import intake_pb2
from cms_local.journey import Journey
from cms_local.keys import ISSUER, revoke
from cms_local.layout import SERVICES
from tests.support.callers import bearer
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import Door, RawDoors, methods
from tests.support.tls import platform_channel

pytestmark = pytest.mark.xdist_group("platform")

DOORS = get_args(Door)


def tokens_that_are_not_good(platform: PlatformUnderTest) -> Iterator[tuple[str, str]]:
    """Makes tokens with one defect each, by the name of the defect."""
    layout = platform.layout
    key: Any = serialization.load_pem_private_key(layout.keys("issuer.pem").read_bytes(), password=None)
    [public] = json.loads(layout.keys("jwks.json").read_text())["keys"]
    body = {
        "iss": ISSUER,
        "aud": list(SERVICES),
        "sub": "OP000001",
        "roles": ["OPERATOR"],
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
    }
    headers = {"kid": public["kid"], "typ": "at+jwt"}

    def signed(**changes: Any) -> str:
        return jwt.encode(body | changes, key, algorithm="EdDSA", headers=headers)

    point = base64.urlsafe_b64decode(public["x"] + "==")
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, _, rest = signed().partition(".")
    claims, _, signature = rest.partition(".")
    swapped = base64.urlsafe_b64encode(json.dumps(body | {"roles": ["SERVICE"]}).encode()).decode().rstrip("=")
    yield "expired", signed(exp=int(time.time()) - LEEWAY_SECONDS - 1)
    yield "never expires", signed(exp=None)
    yield "another audience", signed(aud="cms3")
    yield "no audience", signed(aud=[])
    yield "another type", jwt.encode(body, key, algorithm="EdDSA", headers=headers | {"typ": "JWT"})
    yield "roles of a service and of a person", signed(roles=["OPERATOR", "SERVICE"])
    yield "a service's subject with NUL", signed(roles=["SERVICE"], sub="la-notifier\0")
    yield "a subject with NUL", signed(sub="OP1\0")
    yield "an office with NUL", signed(office="6000\x0021")
    yield "another issuer", signed(iss="somebody")
    yield "not yet", signed(nbf=int(time.time()) + 600)
    yield "no subject", signed(sub="")
    yield "subject too long", signed(sub="NINECHARS")
    yield "roles as text", signed(roles="OPERATOR")
    yield "alg none", jwt.encode(body, "", algorithm="none", headers=headers)
    yield "another key", jwt.encode(body, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=headers)
    yield "unknown key", jwt.encode(body, key, algorithm="EdDSA", headers={"kid": "other"})
    yield "HS256 with the public point", forged(body, headers, point)
    yield "HS256 with the public key's text", forged(body, headers, pem)
    yield "other claims under the signature", f"{head}.{swapped}.{signature}"
    yield "signature cut", f"{head}.{claims}.{signature[:-4]}"
    yield "no signature", f"{head}.{claims}."


def forged(body: dict[str, Any], headers: dict[str, str], secret: bytes) -> str:
    """Makes a token signed by HMAC with the issuer's public key, by hand because libraries refuse to."""
    algorithm = jwt.get_algorithm_by_name("HS256")
    parts = [{"alg": "HS256"} | headers, body]
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    made = base64.urlsafe_b64encode(algorithm.sign(text, secret)).rstrip(b"=")
    return f"{text.decode()}.{made.decode()}"


@pytest.mark.parametrize("door", DOORS)
def test_an_invalid_token_is_refused_as_unauthenticated(
    platform_under_test: PlatformUnderTest, raw: RawDoors, call: Journey, door: Door
) -> None:
    for wrong, token in tokens_that_are_not_good(platform_under_test):
        for method in ("GetInterview", "FindSlots", "ListWork", "GetTransfers", "GetNotices"):
            given = raw.ask(
                door, method, {"claimRef": call.claim_ref} if "Get" in method else {}, authorization=f"Bearer {token}"
            )

            assert given.refusal == ("unauthenticated", "BAD_TOKEN", frozenset()), wrong


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", sorted(methods()))
@pytest.mark.parametrize("metadata", [{}, {"authorization": "Basic T1A6"}, {"authorization": "Bearer"}], ids=str)
def test_calls_without_a_token_are_refused(raw: RawDoors, door: Door, method: str, metadata: dict[str, str]) -> None:
    assert raw.ask(door, method, {}, **metadata).refusal == ("unauthenticated", "NO_TOKEN", frozenset())


@pytest.mark.parametrize("door", DOORS)
def test_an_expired_token_is_refused(
    platform_under_test: PlatformUnderTest, raw: RawDoors, call: Journey, door: Door
) -> None:
    key: Any = serialization.load_pem_private_key(
        platform_under_test.layout.keys("issuer.pem").read_bytes(), password=None
    )
    now = int(time.time())
    life = {"iat": now - 60, "exp": now + 3 - LEEWAY_SECONDS}
    body = {"iss": ISSUER, "aud": list(SERVICES), "sub": "SU1", "roles": ["SUPPORT"], **life}
    headers = {"kid": "development", "typ": "at+jwt"}
    passport = {"authorization": f"Bearer {jwt.encode(body, key, algorithm='EdDSA', headers=headers)}"}
    request = {"claimRef": call.claim_ref}
    assert raw.ask(door, "GetClaim", request, **passport).code == "ok"

    late = eventually(
        lambda: given if (given := raw.ask(door, "GetClaim", request, **passport)).code != "ok" else None,
        what="the token's end",
    )

    assert late.refusal == ("unauthenticated", "BAD_TOKEN", frozenset())


@pytest.mark.parametrize("first", [True, False])
def test_two_authorizations_are_refused_by_both_doors(
    platform_under_test: PlatformUnderTest, call: Journey, *, first: bool
) -> None:
    own, other = f"Bearer {call.issue('SUPPORT', subject='SU1')}", "Bearer x.y.z"
    pairs = [("authorization", text) for text in ((own, other) if first else (own, own))]
    layout, path = platform_under_test.layout, "/cms.intake.v1.IntakeService/GetClaim"

    by_http = httpx.post(
        f"http://127.0.0.1:{layout.http_port('intake-svc')}{path}", json={"claimRef": call.claim_ref}, headers=pairs
    )
    request = intake_pb2.GetClaimRequest(claim_ref=call.claim_ref).SerializeToString()
    with platform_channel(layout, "intake-svc") as channel:
        unary: Any = channel.unary_unary
        with pytest.raises(grpc.RpcError) as by_grpc:
            unary(path)(request, metadata=pairs, timeout=20)

    assert (by_http.status_code, by_http.json()["code"]) == (401, "unauthenticated")
    assert by_grpc.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("door", DOORS)
def test_a_revoked_subject_is_refused_within_seconds_everywhere_until_it_signs_in_again(
    platform_under_test: PlatformUnderTest, raw: RawDoors, call: Journey, door: Door
) -> None:
    subject = f"RV{door[:4].upper()}"
    before = {"authorization": f"Bearer {call.issue('SUPPORT', subject=subject)}"}
    request = {"claimRef": call.claim_ref}
    assert raw.ask(door, "GetClaim", request, **before).code == "ok"  # and is remembered

    revoke(platform_under_test.layout.keys(""), subject)

    def refused(method: str) -> bool:
        return raw.ask(door, method, request, **before).refusal == ("unauthenticated", "REVOKED", frozenset())

    for method in ("GetClaim", "GetTransfers", "GetNotices"):
        eventually(partial(refused, method), seconds=5, what=f"the end of the token at {method}")
    eventually(
        lambda: raw.ask(door, "GetClaim", request, **bearer(call, "SUPPORT", subject)).code == "ok",
        seconds=5,
        what="a token that counts",
    )
