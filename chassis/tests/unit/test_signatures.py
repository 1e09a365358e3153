"""An entry of the bus counts as what a service signed, whole, for one stream, by a key that is good now."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.key_files import KeysUnusable
from chassis.signatures import LARGEST_BYTES, Refused, Signatures, SigningKey, as_read, signed_bytes
from chassis.testing import SignaturesOf, publish, signing_files, signing_key

STREAM = "events:intake-svc"
ENTRY: dict[str, bytes | str] = {"event_id": b"\x01" * 16, "heard_by": "la-notifier", "envelope": b"\x0a\x00"}

names = st.binary(max_size=6).filter(lambda name: name != b"signature")
entries = st.tuples(st.text(max_size=6), st.dictionaries(names, st.binary(max_size=6), max_size=4))


def refusal(signatures: Signatures, fields: dict[bytes, bytes], stream: str = STREAM) -> str:
    with pytest.raises(Refused) as refused:
        signatures.expect("intake-svc", stream, fields)
    return refused.value.reason


@given(one=entries, other=entries)
def test_two_different_entries_never_have_the_same_bytes(
    one: tuple[str, dict[bytes, bytes]], other: tuple[str, dict[bytes, bytes]]
) -> None:
    assert (signed_bytes(*one) == signed_bytes(*other)) == (one == other)


@given(entry=entries, cut=st.integers(0, 12), name=names, value=st.binary(max_size=6))
def test_bytes_moved_between_fields_give_other_bytes(
    entry: tuple[str, dict[bytes, bytes]], cut: int, name: bytes, value: bytes
) -> None:
    stream, fields = entry
    joined = name + value
    assume(joined[:cut] != b"signature")

    moved = signed_bytes(stream, {**fields, joined[:cut]: joined[cut:]})

    assert (moved == signed_bytes(stream, {**fields, name: value})) == (
        {**fields, joined[:cut]: joined[cut:]} == {**fields, name: value}
    )


@given(st.dictionaries(st.text(max_size=6), st.binary(max_size=6) | st.text(max_size=6), max_size=4))
def test_whatever_is_signed_verifies_as_it_is_read(entry: dict[str, bytes | str]) -> None:
    key = signing_key("intake-svc")

    fields = as_read(key.signed(STREAM, entry))

    key.private.public_key().verify(fields[b"signature"], signed_bytes(STREAM, fields))


def test_the_signatory_of_an_entry_is_the_service_whose_key_signed_it(signatures_of: SignaturesOf) -> None:
    hearer = signatures_of("la-notifier")

    assert hearer.signatory(STREAM, as_read(signatures_of("intake-svc").signed(STREAM, ENTRY))) == "intake-svc"


@pytest.mark.parametrize("field", ["event_id", "heard_by", "envelope", "signed_by"])
def test_an_altered_field_is_refused(signatures_of: SignaturesOf, field: str) -> None:
    fields = as_read(signing_key("intake-svc").signed(STREAM, ENTRY))
    fields[field.encode()] = {"signed_by": b"scheduling-svc/1"}.get(field, fields[field.encode()] + b"x")

    assert refusal(signatures_of("la-notifier"), fields) == "BAD_SIGNATURE"


@pytest.mark.parametrize("change", [{b"created": b"2099-01-01T00:00:00+00:00"}, {b"": b""}])
def test_an_added_field_is_refused(signatures_of: SignaturesOf, change: dict[bytes, bytes]) -> None:
    fields = as_read(signing_key("intake-svc").signed(STREAM, ENTRY))

    assert refusal(signatures_of("la-notifier"), fields | change) == "BAD_SIGNATURE"


def test_an_entry_of_another_stream_is_refused(signatures_of: SignaturesOf) -> None:
    fields = as_read(signing_key("intake-svc").signed("receipts:intake-svc", ENTRY))

    assert refusal(signatures_of("la-notifier"), fields) == "BAD_SIGNATURE"


def test_an_entry_that_another_service_signed_is_refused(signatures_of: SignaturesOf) -> None:
    fields = as_read(signing_key("scheduling-svc").signed(STREAM, ENTRY))

    assert refusal(signatures_of("la-notifier"), fields) == "WRONG_SOURCE"


def test_a_key_that_nobody_published_is_refused(signatures_of: SignaturesOf) -> None:
    own = SigningKey.generate("intake-svc", number=7)

    assert refusal(signatures_of("la-notifier"), as_read(own.signed(STREAM, ENTRY))) == "UNKNOWN_KEY"


def test_another_key_under_a_published_id_is_refused(signatures_of: SignaturesOf) -> None:
    forged = SigningKey.generate("intake-svc", number=1)

    assert refusal(signatures_of("la-notifier"), as_read(forged.signed(STREAM, ENTRY))) == "BAD_SIGNATURE"


@pytest.mark.parametrize("absent", ["signature", "signed_by"])
def test_an_unsigned_entry_is_refused(signatures_of: SignaturesOf, absent: str) -> None:
    fields = as_read(signing_key("intake-svc").signed(STREAM, ENTRY))
    del fields[absent.encode()]

    assert refusal(signatures_of("la-notifier"), fields) == "UNSIGNED"


@pytest.mark.parametrize("signature", [b"", b"\x00" * 64, b"\xff" * 63, b"x" * 1000])
def test_a_signature_that_is_none_is_refused(signatures_of: SignaturesOf, signature: bytes) -> None:
    fields = as_read(signing_key("intake-svc").signed(STREAM, ENTRY)) | {b"signature": signature}

    assert refusal(signatures_of("la-notifier"), fields) == "BAD_SIGNATURE"


def test_an_entry_that_is_too_large_is_refused_before_it_is_verified(signatures_of: SignaturesOf) -> None:
    large = as_read(signing_key("intake-svc").signed(STREAM, {**ENTRY, "envelope": b"x" * LARGEST_BYTES}))

    assert refusal(signatures_of("la-notifier"), large) == "TOO_LARGE"


def test_two_keys_of_a_service_are_good_until_one_is_withdrawn(tmp_path: Path) -> None:
    own, signatories = signing_files(tmp_path, "la-notifier")
    hearer = Signatures("la-notifier", signing_key_file=own, signatories_file=signatories)
    first, second = (signing_key("intake-svc", number=number) for number in (1, 2))
    by_first, by_second = (as_read(key.signed(STREAM, ENTRY)) for key in (first, second))

    publish(signatories, signing_key("la-notifier"), first, second)
    assert [hearer.signatory(STREAM, fields) for fields in (by_first, by_second)] == ["intake-svc", "intake-svc"]

    publish(signatories, signing_key("la-notifier"), second)
    hearer.read_again()
    assert refusal(hearer, by_first) == "UNKNOWN_KEY"
    assert hearer.signatory(STREAM, by_second) == "intake-svc"


def test_a_service_signs_by_its_new_key_once_that_is_published(tmp_path: Path) -> None:
    own, signatories = signing_files(tmp_path, "intake-svc")
    signatures = Signatures("intake-svc", signing_key_file=own, signatories_file=signatories)
    second = signing_key("intake-svc", number=2)

    own.write_text(second.secret_text())
    with pytest.raises(KeysUnusable, match="intake-svc"):
        signatures.read_again()
    assert signatures.signed(STREAM, ENTRY)["signed_by"] == "intake-svc/1"

    publish(signatories, signing_key("intake-svc"), second)
    signatures.read_again()
    assert signatures.signed(STREAM, ENTRY)["signed_by"] == "intake-svc/2"


def test_a_key_file_that_was_read_and_is_broken_now_changes_nothing(tmp_path: Path) -> None:
    own, signatories = signing_files(tmp_path, "intake-svc")
    signatures = Signatures("intake-svc", signing_key_file=own, signatories_file=signatories)

    signatories.write_text("{")

    with pytest.raises(KeysUnusable):
        signatures.read_again()
    assert signatures.signatory(STREAM, as_read(signatures.signed(STREAM, ENTRY))) == "intake-svc"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "intake-svc/1"}']
)
def test_a_file_without_a_private_key_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    own, signatories = signing_files(tmp_path, "intake-svc")
    own.write_text(text)

    with pytest.raises(KeysUnusable):
        Signatures("intake-svc", signing_key_file=own, signatories_file=signatories)


def test_the_key_of_another_service_is_refused_at_the_start(tmp_path: Path) -> None:
    own, signatories = signing_files(tmp_path, "scheduling-svc")

    with pytest.raises(KeysUnusable):
        Signatures("intake-svc", signing_key_file=own, signatories_file=signatories)


def test_the_file_of_public_keys_holds_nothing_private(tmp_path: Path) -> None:
    _, signatories = signing_files(tmp_path, "intake-svc")

    assert all("d" not in key for key in json.loads(signatories.read_text())["keys"])
