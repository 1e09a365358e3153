"""The OpenAPI 3.1 document of the HTTP doors: Connect's unary calls in JSON, made from the contract.

Schemas are those of proto3's JSON form. A response prints every field that has no presence, so these are required in it;
a request refuses names that it does not know.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from chassis.contract import Bounds, bounds, called_by, delegated_to, largest_bytes, only_reads
from docs.api.generator import contract

Schema = dict[str, Any]

_INTEGERS_OF_32 = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32}
_INTEGERS_OF_64 = {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}
_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time", "examples": ["2026-11-30T09:15:00Z"]},
    "google.protobuf.Value": {"description": "Any JSON value."},
    "google.protobuf.Struct": {"type": "object"},
    "google.type.Date": {"$ref": "#/components/schemas/google.type.Date"},
}
_DATE: Schema = {
    "type": "object",
    "description": "A day of the calendar.",
    "properties": {
        "year": {"type": "integer", "minimum": 0, "maximum": 9999},
        "month": {"type": "integer", "minimum": 0, "maximum": 12},
        "day": {"type": "integer", "minimum": 0, "maximum": 31},
    },
    "additionalProperties": False,
}
_REFUSALS: Mapping[str, str] = {
    "400": "The request is malformed, a field is at fault, or the record's state does not allow it.",
    "401": "No token, or an invalid one.",
    "403": "The caller may not do this.",
    "404": "There is no such record.",
    "405": "The method changes something, so that GET does not serve it.",
    "408": "The request was not whole in time.",
    "409": "The record exists already or has changed since it was read.",
    "415": "The content type is none that the door takes.",
    "429": "Too large, or too many calls at once.",
    "431": "The request's line and headers are too large or too many.",
    "500": "A defect of the platform.",
    "501": "There is no such method.",
    "503": "Something that the service needs is away: try again.",
    "504": "The deadline has passed.",
}
_TRACED: Schema = {"traceparent": {"$ref": "#/components/headers/Traceparent"}}


def document() -> Schema:
    """Makes the document."""
    used = contract.use()
    schemas = {name: _enum(kind) for name, kind in used.enums.items()}
    for name, message in (used.requests | used.responses).items():
        schemas[name] = _message(message, asked=name in used.requests, answered=name in used.responses)
    schemas |= {"google.type.Date": _DATE, "Error": _error(), "ErrorDetail": _error_detail()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CMS3",
            "version": "v1",
            "description": "Benefit claims by phone. Every method is one POST in JSON, by the Connect protocol's unary form; "
            "methods that only read take GET too. docs/api says the rest: tokens, errors, limits, and a claim from the first "
            "call to its outcome.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": _address(1), "description": "Each path names the service that serves it."}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": service.full_name, "description": contract.comments()[service.full_name]}
            for service in contract.services()
        ],
        "paths": {
            f"/{service.full_name}/{method.name}": _path(service, method)
            for service in contract.services()
            for method in service.methods
        },
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "parameters": _parameters(),
            "headers": {
                "Traceparent": {
                    "description": "The call's W3C trace context: its trace id finds the call in the logs.",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
                }
            },
            "responses": {f"Refused{status}": _refusal(text) for status, text in _REFUSALS.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "docs/api/token.md says what the token holds.",
                }
            },
        },
    }


def _address(place: int) -> str:
    return f"http://127.0.0.1:{8050 + place}"


def _servers(service: ServiceDescriptor) -> list[Schema]:
    own = [entry for entry in contract.listed() if entry["contract"] == service.full_name]
    return [{"url": _address(entry["place"]), "description": entry["name"]} for entry in own or contract.listed()]


def _path(service: ServiceDescriptor, method: MethodDescriptor) -> Schema:
    operations = {"post": _operation(service, method) | {"requestBody": _body(method)}}
    if only_reads(method):
        read = _operation(service, method)
        read["operationId"] += "_get"
        read["summary"] += " by GET"
        read["parameters"] = [*_query(method), *read["parameters"]]
        operations["get"] = read
    return {"servers": _servers(service), **operations}


def _services(method: MethodDescriptor) -> str:
    """The services that may call a method for themselves or for a person, as sentences after its roles."""
    themselves, persons = sorted(called_by(method)), sorted(delegated_to(method))
    told = f" As SERVICE: {', '.join(themselves)} alone." if themselves else ""
    return told + (f" For a person: {', '.join(persons)}." if persons else "")


def _operation(service: ServiceDescriptor, method: MethodDescriptor) -> Schema:
    allowed = contract.roles(method)
    return {
        "tags": [service.full_name],
        "operationId": f"{service.name}_{method.name}",
        "summary": method.name,
        "description": f"{contract.comments()[method.full_name]}\n\nRoles: {', '.join(allowed)}.{_services(method)}",
        "x-roles": allowed,
        "x-called-by": sorted(called_by(method)),
        "x-delegated-to": sorted(delegated_to(method)),
        "x-largest-bytes": largest_bytes(method),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _parameters()],
        "responses": {
            "200": {
                "description": contract.comments()[method.output_type.full_name],
                "headers": _TRACED,
                "content": {"application/json": {"schema": _reference(method.output_type.full_name)}},
            }
        }
        | {status: {"$ref": f"#/components/responses/Refused{status}"} for status in _REFUSALS},
    }


def _body(method: MethodDescriptor) -> Schema:
    name = method.input_type.full_name
    return {"required": True, "content": {"application/json": {"schema": _reference(name)}}}


def _query(method: MethodDescriptor) -> list[Schema]:
    """Connect's GET: the message stands in the query, as JSON."""
    return [
        {"name": "connect", "in": "query", "required": True, "schema": {"const": "v1"}},
        {"name": "encoding", "in": "query", "required": True, "schema": {"const": "json"}},
        {
            "name": "message",
            "in": "query",
            "required": True,
            "content": {"application/json": {"schema": _reference(method.input_type.full_name)}},
        },
    ]


def _parameters() -> dict[str, Schema]:
    def header(name: str, description: str, schema: Schema) -> Schema:
        return {"name": name, "in": "header", "description": description, "schema": schema}

    return {
        "ConnectTimeoutMs": header(
            "Connect-Timeout-Ms",
            "The call's deadline in milliseconds; docs/api/limits.md says the usual and the longest.",
            {"type": "string", "pattern": "^[0-9]{1,10}$"},
        ),
        "Traceparent": header(
            "traceparent",
            "W3C trace context. The response carries one too: its trace id finds the call in the logs.",
            {"type": "string"},
        ),
        "CmsPurpose": header(
            "Cms-Purpose",
            "Why a caller other than the operator reads a claimant's answers: an appointment or work item.",
            {"type": "string", "pattern": "^[ -~]{0,80}$"},
        ),
    }


def _refusal(text: str) -> Schema:
    content = {"application/json": {"schema": _reference("Error")}}
    return {"description": text, "headers": _TRACED, "content": content}


def _error() -> Schema:
    return {
        "type": "object",
        "description": "A refusal. docs/api/errors.md lists every reason.",
        "properties": {
            "code": {"type": "string", "description": "Connect's code, such as invalid_argument."},
            "message": {"type": "string", "description": "What happened, for a developer. It holds no personal value."},
            "details": {"type": "array", "items": _reference("ErrorDetail")},
        },
        "required": ["code"],
    }


def _error_detail() -> Schema:
    return {
        "type": "object",
        "description": "google.rpc.ErrorInfo with the reason; google.rpc.BadRequest where fields are at fault.",
        "properties": {
            "type": {"type": "string", "description": "The full name of the detail's message."},
            "value": {"type": "string", "description": "The message in protobuf's binary form, in unpadded base64."},
            "debug": {
                "type": "object",
                "description": "The same message in JSON.",
                "properties": {
                    "reason": {"type": "string"},
                    "domain": {"type": "string"},
                    "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                    "fieldViolations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"field": {"type": "string"}, "description": {"type": "string"}},
                        },
                    },
                },
            },
        },
        "required": ["type", "value"],
    }


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _enum(kind: EnumDescriptor) -> Schema:
    said = contract.comments()
    values = [f"- `{value.name}`: {said[f'{kind.full_name}.{value.name}']}" for value in kind.values]
    return {
        "type": "string",
        "description": "\n".join([said[kind.full_name], "", *values]),
        "enum": [value.name for value in kind.values],
    }


def _message(message: Descriptor, *, asked: bool, answered: bool) -> Schema:
    schema: Schema = {
        "type": "object",
        "description": contract.comments()[message.full_name],
        "properties": {field.json_name: _described(field) for field in message.fields},
    }
    always = not asked  # printed whatever its value; a request may leave it out
    required = [
        field.json_name
        for field in message.fields
        if (contract.is_required(field) if asked else always and not field.has_presence)
    ]
    if required:
        schema["required"] = required
    if not answered:
        schema["additionalProperties"] = False
    return schema


def _described(field: FieldDescriptor) -> Schema:
    schema, said = _field(field), contract.comments()[field.full_name]
    if field.message_type is not None and field.message_type.full_name == "google.protobuf.Value":
        said += _of_a_value(bounds(field))
    return schema | {"description": said}


def _of_a_value(most: Bounds) -> str:
    if not most.nodes:
        return ""
    return (
        f" At most {most.length} characters in each text, {most.entries} entries in each list and object, "
        f"{most.depth} levels deep, and {most.nodes} values in all."
    )


def _field(field: FieldDescriptor) -> Schema:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        [_, value] = field.message_type.fields
        return {"type": "object", "additionalProperties": _single(value)}
    if field.is_repeated:
        several: Schema = {"type": "array", "items": _single(field)}
        most = {"maxItems": bounds(field).entries} if bounds(field).entries else {}
        return several | most | ({"minItems": 1} if contract.is_required(field) else {})
    single = _single(field)
    if contract.is_required(field) and single.get("type") == "string" and "format" not in single:
        single["minLength"] = 1
    return single


def _single(field: FieldDescriptor) -> Schema:
    if field.message_type is not None:
        name = field.message_type.full_name
        return dict(_WELL_KNOWN[name]) if name in _WELL_KNOWN else _reference(name)
    if field.enum_type is not None:
        return _reference(field.enum_type.full_name)
    if field.cpp_type in _INTEGERS_OF_32:
        return {"type": "integer", "format": "int32"}
    if field.cpp_type in _INTEGERS_OF_64:
        return {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return {"type": "boolean"}
    if field.type == FieldDescriptor.TYPE_BYTES:
        return {"type": "string", "contentEncoding": "base64"}
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        most = {"maxLength": bounds(field).length} if bounds(field).length else {}
        return {"type": "string"} | most | ({"format": "uuid"} if field.name == "request_id" else {})
    return {"type": "number"}
