"""The control door: health, the ledger, and the failures, in JSON."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from simulators.failures import FailurePlan, FailureRule

Rule = TypeVar("Rule", bound=FailureRule)


class _FailuresDoor(Generic[Rule]):
    """The views of a failure plan."""

    def __init__(self, plan: FailurePlan[Rule], kind: type[Rule]) -> None:
        self._plan = plan
        self._kind = kind

    def listing(self) -> ResponseReturnValue:
        return jsonify(failures=self._plan.listing())

    def replace(self) -> ResponseReturnValue:
        self._plan.replace(self._rules(request.get_json()))
        return self.listing()

    def add(self) -> ResponseReturnValue:
        self._plan.add(self._rules(request.get_json()))
        return self.listing()

    def clear(self) -> ResponseReturnValue:
        self._plan.replace([])
        return self.listing()

    def counts(self) -> ResponseReturnValue:
        return jsonify(counts=self._plan.counts())

    def attempts(self) -> ResponseReturnValue:
        return jsonify(self._plan.attempts())

    def _rules(self, body: object) -> Sequence[Rule]:
        """One rule or a list of them. Raises ValidationError."""
        return [self._kind.model_validate(rule) for rule in (body if isinstance(body, list) else [body])]


def control_application(
    *,
    plan: FailurePlan[Rule],
    kind: type[Rule],
    ledger: Callable[[str | None], dict[str, Any]],
    ready: Callable[[], bool],
) -> Flask:
    """The control door's application. `ledger` gives the summary, of one claim when it is given a reference."""
    application = Flask("simulators.control")
    door = _FailuresDoor(plan, kind)
    application.register_error_handler(ValidationError, _invalid)
    application.add_url_rule("/failures", "listing", door.listing, methods=["GET"])
    application.add_url_rule("/failures", "replace", door.replace, methods=["PUT"])
    application.add_url_rule("/failures", "add", door.add, methods=["POST"])
    application.add_url_rule("/failures", "clear", door.clear, methods=["DELETE"])
    application.add_url_rule("/failures/counts", "counts", door.counts)
    application.add_url_rule("/failures/attempts", "attempts", door.attempts)

    @application.get("/healthz")
    def alive() -> ResponseReturnValue:
        return jsonify(status="ok")

    @application.get("/readyz")
    def is_ready() -> ResponseReturnValue:
        return (jsonify(status="ready"), 200) if ready() else (jsonify(status="not ready"), 503)

    @application.get("/ledger")
    def summary() -> ResponseReturnValue:
        return jsonify(ledger(request.args.get("claim_ref")))

    return application


def _invalid(error: ValidationError) -> ResponseReturnValue:
    problems = [
        {"field": ".".join(map(str, part["loc"])), "message": part["msg"]} for part in error.errors(include_url=False)
    ]
    return jsonify(errors=problems), 400
