"""Answers in the form of the contract."""

from typing import Any

from google.protobuf import json_format, struct_pb2

from cms.intake.v1 import intake_pb2


def answer(question_id: str, value: Any, *, accept_transliteration: bool = False) -> intake_pb2.Answer:
    """Makes an answer of the JSON value that its question's kind asks for; None clears it."""
    made = intake_pb2.Answer(question_id=question_id, accept_transliteration=accept_transliteration)
    json_format.ParseDict(value, made.value)
    return made


def json_of(value: struct_pb2.Value) -> Any:
    """Returns the JSON value of a question's answer or proposal; None where it has none."""
    return json_format.MessageToDict(value) if value.WhichOneof("kind") else None
