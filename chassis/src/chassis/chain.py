"""The one chain of every call, by either door: deadline, identity, role, parsing, required fields, errors, metrics."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore

import psycopg
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from psycopg_pool import PoolTimeout

from chassis import access_log, call, clock, contract, logs, metrics, purposes, refusals, requests, tracing
from chassis.call import Call
from chassis.database import Database
from chassis.errors import (
    WELSH,
    CmsError,
    DeadlineExceeded,
    Internal,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from chassis.identity import Identity, Verifier
from chassis.vault import Vault

ON_BEHALF_OF = "cms-on-behalf-of"
"""The metadata with the token of the person for whom a service calls."""
DEFAULT_DEADLINE_SECONDS = 5.0
LONGEST_DEADLINE_SECONDS = 30.0
CONCURRENT_CALLS = 32


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of the contract with the function that serves it."""

    service: str
    name: str
    path: str
    request: type[Message]
    response: type[Message]
    allow: frozenset[str]
    called_by: frozenset[str]
    """The services that may call it as themselves."""
    delegated_to: frozenset[str]
    """The services that may call it for a person."""
    only_reads: bool
    largest_bytes: int
    """The largest request, as it comes or unpacked."""
    serve: Callable[[Message], Message]
    language_of: Callable[[Message], str]
    """The language ("EN", "CY") of the call that a request belongs to."""

    def expect_caller(self, identity: Identity) -> None:
        """Raises PermissionDenied unless the contract names a role of the caller, and a service itself (`CALLING_SERVICE`)."""
        if not self.allow & identity.roles:
            raise PermissionDenied("ROLE", "none of the token's roles may call this method")
        if identity.is_service and identity.subject not in self.called_by:
            raise PermissionDenied("CALLING_SERVICE", "this service is none of those that may call this method")

    def expect_delegate(self, service: Identity, names: frozenset[str] | None) -> None:
        """Raises PermissionDenied (`NOT_DELEGATED`) unless the contract lets the service call this for a person.

        Such a call comes through a door that asks for certificates: `names` are those in the caller's.
        """
        if names is None or not service.is_service or service.subject not in self.delegated_to:
            raise PermissionDenied("NOT_DELEGATED", "this caller may not call this method for somebody else")

    def expect_size(self, size: int) -> None:
        """Raises ResourceExhausted (`TOO_LARGE`) for a request of more bytes than the method takes."""
        if size > self.largest_bytes:
            raise ResourceExhausted("TOO_LARGE", f"the request is over {self.largest_bytes} bytes")


def methods_of(service: ServiceDescriptor, servicer: object) -> list[Method]:
    """Returns every method of the service. AttributeError if the servicer lacks one.

    A servicer whose calls may be held in Welsh has `language_of(request)` as well, by which fields at fault are told in
    the call's language.
    """
    language_of = getattr(servicer, "language_of", _in_english)
    return [
        _method(service, descriptor, getattr(servicer, descriptor.name), language_of) for descriptor in service.methods
    ]


def _in_english(_request: Message) -> str:
    return "EN"


def _method(
    service: ServiceDescriptor,
    descriptor: MethodDescriptor,
    serve: Callable[[Message], Message],
    language_of: Callable[[Message], str],
) -> Method:
    return Method(
        service=service.full_name,
        name=descriptor.name,
        path=f"/{service.full_name}/{descriptor.name}",
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        allow=contract.allowed_roles(descriptor),
        called_by=contract.called_by(descriptor),
        delegated_to=contract.delegated_to(descriptor),
        only_reads=contract.only_reads(descriptor),
        largest_bytes=contract.largest_bytes(descriptor),
        serve=serve,
        language_of=language_of,
    )


class Chain:
    """Handles calls of these methods, for both doors of a process."""

    def __init__(self, methods: Iterable[Method], *, verifier: Verifier, database: Database, vault: Vault) -> None:
        self.methods = {method.path: method for method in methods}
        """By path: `/cms.intake.v1.IntakeService/GetClaim`."""
        self._verifier = verifier
        self._database = database
        self._vault = vault
        self._places = BoundedSemaphore(CONCURRENT_CALLS)

    def handle(
        self,
        method: Method,
        read: Callable[[], Message],
        metadata: Mapping[str, str],
        timeout_seconds: float | None,
        *,
        names: frozenset[str] | None = None,
    ) -> Message:
        """Returns the response to a call. `read` parses the request; `metadata` has lower-case keys. Raises only CmsError.

        `names` are those in the caller's certificate; None at a door that asks for none.
        """
        started = time.monotonic()
        code = "OK"
        tracing.enter(tracing.child_of(metadata.get("traceparent")))
        try:
            return self._answer(method, read, metadata, started + _limit(timeout_seconds), names)
        except Exception as error:
            known = known_error(error)
            code = known.code
            _log(method, error, known)
            raise known from error
        finally:
            metrics.HANDLING.labels(method.path, code).observe(time.monotonic() - started)

    def _answer(
        self,
        method: Method,
        read: Callable[[], Message],
        metadata: Mapping[str, str],
        deadline: float,
        names: frozenset[str] | None,
    ) -> Message:
        if not self._places.acquire(blocking=False):
            raise ResourceExhausted("BUSY", "too many calls at once: try again")
        try:
            identity = self._verifier.identify(metadata.get("authorization"))
            _expect_own_certificate(identity, names)
            entered = self._call(method, identity, metadata, deadline)
            with clock.steady(), call.entered(entered):
                return self._serve(method, read, entered, names, metadata.get(ON_BEHALF_OF))
        finally:
            self._places.release()

    def _call(self, method: Method, identity: Identity, metadata: Mapping[str, str], deadline: float) -> Call:
        return Call(
            method=method.path,
            response=method.response,
            identity=identity,
            database=self._database,
            vault=self._vault,
            deadline=deadline,
            purpose=purposes.purpose_of(metadata.get("cms-purpose", "")),
        )

    def _serve(
        self,
        method: Method,
        read: Callable[[], Message],
        entered: Call,
        names: frozenset[str] | None,
        persons_token: str | None,
    ) -> Message:
        entered.remaining_seconds()
        try:
            if persons_token is not None:
                method.expect_delegate(entered.identity, names)
                entered.identity = self._verifier.person_behind(entered.identity, persons_token)
            method.expect_caller(entered.identity)
            request = read()
            response = _serve_checked(method, request, entered)
        except PermissionDenied as denied:
            _record_denial(entered, denied)
            raise
        except CmsError as refused:
            _tell_in_the_calls_language(method, refused)
            raise
        if not entered.accesses and contract.carries_personal(response):
            raise RuntimeError("a response that carries answers was not written to the access log")
        entered.remaining_seconds()
        return response


def _expect_own_certificate(identity: Identity, names: frozenset[str] | None) -> None:
    """A service's token counts only beside that service's certificate: whoever has copied it alone can do nothing with it.

    The platform's own services call no door that asks for no certificate. An outside system with the role SERVICE, such as the
    telephone switch, may.
    """
    if not identity.has("SERVICE"):
        return
    if identity.subject in contract.packages() if names is None else identity.subject not in names:
        raise Unauthenticated("CERTIFICATE", "a service's token counts only with the certificate of that service")


def _serve_checked(method: Method, request: Message, entered: Call) -> Message:
    try:
        requests.check(request)
        entered.claim_ref = getattr(request, "claim_ref", "")
        return method.serve(request)
    except CmsError as refused:
        refused.request = request
        raise


def _tell_in_the_calls_language(method: Method, refused: CmsError) -> None:
    can_be_welsh = any(violation.welsh for violation in refused.violations)
    if can_be_welsh and isinstance(refused.request, Message) and method.language_of(refused.request) == WELSH:
        refused.tell_in_welsh()


def _limit(timeout_seconds: float | None) -> float:
    if timeout_seconds is None:
        return DEFAULT_DEADLINE_SECONDS
    return min(timeout_seconds, LONGEST_DEADLINE_SECONDS)


def _record_denial(refused: Call, denied: PermissionDenied) -> None:
    try:
        access_log.record_denial(refused, reason=denied.reason)
    except (psycopg.Error, PoolTimeout) as error:
        # The caller is refused all the same, and the log line stands in for the row.
        access_log.unwritten(error)


def known_error(error: Exception) -> CmsError:
    """Returns the error that the caller sees. Defects of ours and texts of libraries stay inside."""
    match error:
        case CmsError():
            return error
        case psycopg.errors.QueryCanceled():
            return DeadlineExceeded("DATABASE_SLOW", "the database did not answer in time: try again")
        case psycopg.errors.LockNotAvailable() | psycopg.errors.DeadlockDetected():
            return Unavailable("RECORD_BUSY", "the record is being changed by another call: try again")
        case (
            psycopg.OperationalError()
            | PoolTimeout()
            | psycopg.errors.IdleInTransactionSessionTimeout()
            | psycopg.errors.ReadOnlySqlTransaction()  # after a failover, the server that is no longer written to
        ):
            return Unavailable("DATABASE_AWAY", "the database is away: try again")
        case _:
            return Internal("DEFECT", f"a defect of the platform, trace {tracing.trace_id()}")


def _log(method: Method, error: Exception, known: CmsError) -> None:
    if isinstance(known, Internal):
        logs.get().error(
            "call failed", method=method.path, error=type(error).__name__, location=logs.location_of(error)
        )
    else:
        # Names in a malformed body are the caller's own words: they are answered and not logged.
        violations = () if known.reason == requests.MALFORMED else known.violations
        fields = sorted({violation.field for violation in violations})
        # Without a token anybody can bring these about, as often as they like.
        write = refusals.log if known.code in ("UNAUTHENTICATED", "RESOURCE_EXHAUSTED") else logs.get().info
        write("call refused", method=method.path, code=known.code, reason=known.reason, fields=fields)
