"""Which calls gRPC may send again by itself, as its service config: reads, and changes that must carry a request_id.

A change is made once for each request_id, so that a repeat is safe whether or not the first one came through.
"""

import json
from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

POLICY: dict[str, Any] = {
    "maxAttempts": 5,  # gRPC's own limit
    "initialBackoff": "0.2s",
    "maxBackoff": "5s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
}


def is_repeatable(method: MethodDescriptor) -> bool:
    """Whether a second call does no more than the first."""
    reads = method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    return bool(reads or "request_id" in method.input_type.fields_by_name)


def service_config(services: Iterable[ServiceDescriptor]) -> str:
    """Writes the config of a channel to these services, as JSON."""
    names = [
        {"service": service.full_name, "method": method.name}
        for service in services
        for method in service.methods
        if is_repeatable(method)
    ]
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": POLICY}]})
