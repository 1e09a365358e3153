"""The protocols of the HTTP door, byte by byte: Connect by POST and GET, gRPC-Web, gzip, and what browsers ask first."""

import base64
import gzip
import json
import struct
from typing import Any
from urllib.parse import quote, unquote

import pytest
from flask.testing import FlaskClient
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from werkzeug.test import TestResponse

from chassis import contract
from chassis.testing.sites import as_json, count, reason_of
from cms.scheduling.v1 import scheduling_pb2 as pb

SERVICE = "/cms.scheduling.v1.SchedulingService"
READ, CHANGE = f"{SERVICE}/GetAppointment", f"{SERVICE}/BookAppointment"
CLAIM = "C0000000000A"
ASK = {"claimRef": CLAIM}
BINARY = pb.GetAppointmentRequest(claim_ref=CLAIM).SerializeToString()
JSON = {"Content-Type": "application/json"}
PROTO = {"Content-Type": "application/proto"}


def frames_of(answer: TestResponse) -> list[tuple[int, bytes]]:
    body = base64.b64decode(answer.data) if "-text" in str(answer.mimetype) else answer.data
    found = []
    while body:
        flags, length = struct.unpack_from(">BI", body)
        found.append((flags, body[5 : 5 + length]))
        body = body[5 + length :]
    return found


def trailers_of(answer: TestResponse) -> dict[str, str]:
    flags, text = frames_of(answer)[-1]
    assert flags == 0x80
    return dict(line.split(": ", 1) for line in text.decode().strip().split("\r\n"))


def frame(body: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BI", flags, len(body)) + body


def test_a_call_in_binary_is_answered_in_binary(door: FlaskClient, passport: dict[str, str]) -> None:
    answer = door.post(READ, data=BINARY, headers=PROTO | passport)

    assert (answer.status_code, answer.mimetype) == (200, "application/proto")
    assert pb.GetAppointmentResponse.FromString(answer.data).appointment.claim_ref == CLAIM


def test_an_error_of_a_call_in_binary_is_json(door: FlaskClient, passport: dict[str, str]) -> None:
    body = pb.GetAppointmentRequest(appointment_id="none").SerializeToString()

    answer = door.post(READ, data=body, headers=PROTO | passport)

    assert (answer.status_code, answer.mimetype, as_json(answer)["code"]) == (
        400,
        "application/json",
        "failed_precondition",
    )
    assert reason_of(answer) == "NOT_BOOKED"


QUERIES = {
    "json": f"connect=v1&encoding=json&message={quote(json.dumps(ASK))}",
    "json, padded base64": "connect=v1&encoding=json&base64=1&message="
    + quote(base64.urlsafe_b64encode(json.dumps(ASK).encode())),
    "proto": f"connect=v1&encoding=proto&base64=1&message={base64.urlsafe_b64encode(BINARY).decode().rstrip('=')}",
    "without connect": f"encoding=json&message={quote(json.dumps(ASK))}",
    "gzip": "connect=v1&encoding=proto&base64=1&compression=gzip&message="
    + base64.urlsafe_b64encode(gzip.compress(BINARY)).decode().rstrip("="),
    "identity": f"connect=v1&encoding=json&compression=Identity&message={quote(json.dumps(ASK))}",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_method_that_only_reads_is_called_by_get(door: FlaskClient, passport: dict[str, str], query: str) -> None:
    answer = door.get(f"{READ}?{query}", headers=passport)

    assert answer.status_code == 200, answer.text
    if "encoding=proto" in query:
        assert pb.GetAppointmentResponse.FromString(answer.data).appointment.claim_ref == CLAIM
    else:
        assert as_json(answer)["appointment"]["claimRef"] == CLAIM


def test_get_without_an_encoding_is_told_what_the_query_has(door: FlaskClient, passport: dict[str, str]) -> None:
    answer = door.get(READ, headers=passport)

    assert "encoding=json" in as_json(answer)["message"]


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("", 415, "MEDIA_TYPE"),
        ("connect=v1&encoding=xml&message=%7B%7D", 415, "MEDIA_TYPE"),
        ("connect=v2&encoding=json&message=%7B%7D", 400, "INVALID_FIELDS"),
        ("connect=v1&encoding=json", 400, "INVALID_FIELDS"),
        ("connect=v1&encoding=json&message=%FF", 400, "MALFORMED"),
        ("connect=v1&encoding=json&message=%7B%7D&message=%7B%7D", 400, "MALFORMED"),
        ("connect=v1&encoding=proto&base64=1&message=!!!!", 400, "MALFORMED"),
        ("connect=v1&encoding=proto&base64=1&message=a", 400, "MALFORMED"),
        ("connect=v1&encoding=json&compression=br&message=%7B%7D", 501, "CONTENT_ENCODING"),
        ("&".join(f"a{number}=1" for number in range(100)), 400, "MALFORMED"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(
    door: FlaskClient, passport: dict[str, str], query: str, status: int, reason: str
) -> None:
    answer = door.get(f"{READ}?{query}", headers=passport)

    assert (answer.status_code, reason_of(answer)) == (status, reason)


@pytest.mark.parametrize("verb", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize(("path", "allowed"), [(READ, "GET, POST"), (CHANGE, "POST")])
def test_other_verbs_are_refused_with_those_that_are_taken(
    door: FlaskClient, passport: dict[str, str], verb: str, path: str, allowed: str
) -> None:
    before = count("VERB")

    answer = door.open(path, method=verb, headers=passport, query_string=QUERIES["json"])

    if verb in allowed:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
        assert verb == "HEAD" or (as_json(answer)["code"], reason_of(answer)) == ("unimplemented", "VERB")
        assert count("VERB") == before + 1


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("POST", f"{SERVICE}/NoSuchMethod", 501),
        ("GET", f"{SERVICE}/NoSuchMethod", 501),
        ("PUT", f"{SERVICE}/NoSuchMethod", 501),
        ("POST", "/cms.other.v1.Other/Get", 501),
        ("GET", "/", 404),
        ("POST", "/", 404),
        ("GET", "/favicon.ico", 404),
        ("GET", f"/{READ}", 404),
        ("GET", f"{READ}/", 404),
        ("POST", "/a/b/c", 404),
    ],
)
def test_an_unknown_path_is_unimplemented(door: FlaskClient, verb: str, path: str, status: int) -> None:
    before = count("NO_SUCH_METHOD")

    answer = door.open(path, method=verb, headers=JSON)

    assert (answer.status_code, as_json(answer)["code"]) == (status, "unimplemented")
    assert reason_of(answer) == "NO_SUCH_METHOD"
    assert count("NO_SUCH_METHOD") == before + 1


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/json; charset=latin-1",
        "application/grpc",
        "application/connect+proto",
    ],
)
def test_other_content_types_are_refused_with_those_that_are_taken(
    door: FlaskClient, passport: dict[str, str], content_type: str
) -> None:
    answer = door.post(READ, data=b"{}", headers={"Content-Type": content_type} | passport)

    assert (answer.status_code, as_json(answer)["code"], reason_of(answer)) == (415, "unimplemented", "MEDIA_TYPE")
    assert {"application/json", "application/proto", "application/grpc-web+proto"} <= set(
        answer.headers["Accept-Post"].split(", ")
    )


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " Gzip "])
def test_a_request_in_gzip_is_read(door: FlaskClient, passport: dict[str, str], encoding: str) -> None:
    body = gzip.compress(json.dumps(ASK).encode())

    answer = door.post(READ, data=body, headers=JSON | passport | {"Content-Encoding": encoding})

    assert as_json(answer)["appointment"]["claimRef"] == CLAIM


@pytest.mark.parametrize("encoding", ["", "identity", "Identity", "IDENTITY"])
def test_an_identity_under_any_spelling_is_read(door: FlaskClient, passport: dict[str, str], encoding: str) -> None:
    answer = door.post(READ, data=json.dumps(ASK), headers=JSON | passport | {"Content-Encoding": encoding})

    assert answer.status_code == 200


BOMB = gzip.compress(b"{" + b" " * 50_000_000 + b"}")
BOMBS = {
    "bomb": (BOMB, "TOO_LARGE"),
    "bomb in a bomb": (gzip.compress(BOMB), "MALFORMED"),
    "just over the limit": (gzip.compress(b"{" + b" " * contract.USUAL_LARGEST_BYTES + b"}"), "TOO_LARGE"),
    "no gzip": (b"{}", "MALFORMED"),
    "cut off": (gzip.compress(b"{}" * 100)[:-9], "MALFORMED"),
    "with more behind": (gzip.compress(b"{}") + b"{}", "MALFORMED"),
    "two streams": (gzip.compress(b"{}") + gzip.compress(b"{}"), "MALFORMED"),
    "empty": (b"", "MALFORMED"),
}


@pytest.mark.parametrize(("body", "reason"), BOMBS.values(), ids=BOMBS.keys())
def test_gzip_that_is_not_one_message_of_the_permitted_size_is_refused(
    door: FlaskClient, passport: dict[str, str], body: bytes, reason: str
) -> None:
    answer = door.post(READ, data=body, headers=JSON | passport | {"Content-Encoding": "gzip"})

    assert reason_of(answer) == reason


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "identity, gzip", "zstd"])
def test_other_encodings_are_refused_with_those_that_are_taken(
    door: FlaskClient, passport: dict[str, str], encoding: str
) -> None:
    answer = door.post(READ, data=b"{}", headers=JSON | passport | {"Content-Encoding": encoding})

    assert (answer.status_code, reason_of(answer)) == (501, "CONTENT_ENCODING")
    assert "gzip" in as_json(answer)["message"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("*", "gzip"), ("gzip;q=0", None), ("br", None), ("", None)],
)
def test_a_long_response_is_in_gzip_where_that_is_accepted(
    door: FlaskClient, passport: dict[str, str], accepted: str, encoding: str | None
) -> None:
    answer = door.post(READ, json={"appointmentId": "long"}, headers=passport | {"Accept-Encoding": accepted})

    assert answer.content_encoding == encoding
    assert "Accept-Encoding" in answer.vary
    assert len(as_json(answer)["appointment"]["office"]["name"]) == 5000


def test_a_short_response_is_not_compressed(door: FlaskClient, passport: dict[str, str]) -> None:
    answer = door.post(READ, json=ASK, headers=passport | {"Accept-Encoding": "gzip"})

    assert answer.content_encoding is None


WEB_TYPES = [f"application/grpc-web{suffix}" for suffix in ("", "+proto", "+json", "-text", "-text+proto")]


def web_call(door: FlaskClient, content_type: str, request: Any, **headers: str) -> TestResponse:
    body = json_format.MessageToJson(request).encode() if "json" in content_type else request.SerializeToString()
    framed = frame(body)
    sent = base64.b64encode(framed) if "-text" in content_type else framed
    return door.post(READ, data=sent, headers={"Content-Type": content_type} | headers)


@pytest.mark.parametrize("content_type", WEB_TYPES)
def test_a_call_by_grpc_web_is_answered(door: FlaskClient, passport: dict[str, str], content_type: str) -> None:
    answer = web_call(door, content_type, pb.GetAppointmentRequest(claim_ref=CLAIM), **passport)

    [(flags, body), _] = frames_of(answer)
    found = pb.GetAppointmentResponse()
    json_format.Parse(body, found) if "json" in content_type else found.ParseFromString(body)
    assert (answer.status_code, answer.mimetype, flags) == (200, content_type, 0)
    assert found.appointment.claim_ref == CLAIM
    assert trailers_of(answer) == {"grpc-status": "0"}


@pytest.mark.parametrize("content_type", WEB_TYPES)
def test_an_error_by_grpc_web_is_a_status_with_details(
    door: FlaskClient, passport: dict[str, str], content_type: str
) -> None:
    answer = web_call(door, content_type, pb.GetAppointmentRequest(appointment_id="none"), **passport)

    trailers = trailers_of(answer)
    status = status_pb2.Status.FromString(base64.b64decode(trailers["grpc-status-details-bin"] + "=="))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (answer.status_code, trailers["grpc-status"], status.code) == (200, "9", 9)
    assert unquote(trailers["grpc-message"]) == status.message == "50% of nothing – no interview"
    assert (info.reason, dict(info.metadata)) == ("NOT_BOOKED", {"claim_ref": CLAIM})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0",
        frame(BINARY)[:-1],
        frame(BINARY) + b"x",
        frame(BINARY) * 2,
        frame(BINARY, 0x80),
        frame(BINARY, 1),
    ],
    ids=["none", "half a head", "cut off", "more behind", "two", "trailers", "said to be compressed"],
)
def test_a_body_that_is_not_one_frame_is_refused(door: FlaskClient, passport: dict[str, str], body: bytes) -> None:
    answer = door.post(READ, data=body, headers={"Content-Type": "application/grpc-web+proto"} | passport)

    assert trailers_of(answer)["grpc-status"] == "3"


def test_gzip_by_grpc_web_goes_both_ways(door: FlaskClient, passport: dict[str, str]) -> None:
    request = pb.GetAppointmentRequest(appointment_id="long").SerializeToString()
    headers = {
        "Content-Type": "application/grpc-web+proto",
        "Grpc-Encoding": "gzip",
        "Grpc-Accept-Encoding": "br, gzip",
    }

    answer = door.post(READ, data=frame(gzip.compress(request), 1), headers=headers | passport)

    [(flags, body), _] = frames_of(answer)
    assert (flags, answer.headers["Grpc-Encoding"]) == (1, "gzip")
    assert len(pb.GetAppointmentResponse.FromString(gzip.decompress(body)).appointment.office.name) == 5000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Grpc-Timeout": "0S"}, "4"),
        ({"Grpc-Timeout": "soon"}, "3"),
        ({"Grpc-Timeout": "123456789S"}, "3"),
        ({"Grpc-Timeout": "5S"}, "0"),
        ({"Grpc-Timeout": "5000000u"}, "0"),
        ({"Grpc-Encoding": "br"}, "12"),
        ({"Authorization": "Bearer none"}, "16"),
    ],
    ids=str,
)
def test_headers_by_grpc_web_are_held_to(
    door: FlaskClient, passport: dict[str, str], headers: dict[str, str], status: str
) -> None:
    answer = web_call(
        door, "application/grpc-web+proto", pb.GetAppointmentRequest(claim_ref=CLAIM), **(dict(passport) | headers)
    )

    assert trailers_of(answer)["grpc-status"] == status


def test_an_unknown_method_by_grpc_web_is_a_status(door: FlaskClient) -> None:
    answer = door.post(f"{SERVICE}/None", data=frame(b""), headers={"Content-Type": "application/grpc-web+proto"})

    assert (answer.status_code, trailers_of(answer)["grpc-status"]) == (200, "12")


@pytest.mark.parametrize(("version", "status"), [("1", 200), ("2", 400), ("one", 400)])
def test_the_protocols_version_is_one(door: FlaskClient, passport: dict[str, str], version: str, status: int) -> None:
    answer = door.post(READ, json=ASK, headers=passport | {"Connect-Protocol-Version": version})

    assert answer.status_code == status
