"""docs/api says what the contract and the code say today."""

import json
import re
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from chassis.identity import Verifier
from docs.api.generator import errors
from docs.api.generator.__main__ import FOLDER, stale

pytestmark = pytest.mark.xdist_group("api-documents")

TOKEN = FOLDER / "token.md"


def test_generated_documents_are_fresh() -> None:
    assert stale() == [], "run `make docs`"


def test_the_catalogue_of_errors_names_every_reason_of_the_source_and_no_other() -> None:
    assert errors.catalogue(), "raises NotInTable with the difference"


def test_every_reason_that_callers_get_says_what_to_do() -> None:
    silent = [name for name, said in errors.table().items() if not said.get("internal") and not said.get("advice")]

    assert silent == []


def test_the_openapi_document_is_valid() -> None:
    validate(json.loads((FOLDER / "openapi.json").read_text()), cls=OpenAPIV31SpecValidator)


def test_a_token_as_the_documents_show_it_is_accepted(tmp_path: Path) -> None:
    header, claims = (
        json.loads(part) for part in re.findall(r"^\{.*?\}$", TOKEN.read_text(), re.MULTILINE | re.DOTALL)
    )
    key = Ed25519PrivateKey.generate()
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [public | {"kid": header["kid"], "alg": header["alg"]}]}))
    now = int(time.time())
    alive = claims | {"iat": now, "exp": now + claims["exp"] - claims["iat"]}

    token = jwt.encode(alive, key, algorithm=header["alg"], headers=header)
    identity = Verifier(keys, issuer=claims["iss"], audience="intake-svc").identify(f"Bearer {token}")

    assert (identity.subject, sorted(identity.roles), identity.grade) == ("OP000001", ["OPERATOR"], "AO")
