"""Changing what a draft is bound to: messages to the domain and back."""

from abc import ABC, abstractmethod

from chassis.database import Connection
from chassis.idempotency import Rebuildable, run_once
from cms.intake.v1 import intake_pb2 as pb
from intake.domain.accounts import AccountCheck
from intake.domain.catalogue import Catalogues
from intake.grpc_api import messages, reading
from intake.service import bindings
from intake.service.interviews import InterviewShown


class BindingMethods(ABC):
    """The methods of IntakeService about a draft's schemes and its catalogue."""

    _catalogues: Catalogues
    _rebuilt_interview: Rebuildable[InterviewShown]

    @abstractmethod
    def _account(self, shown: InterviewShown) -> AccountCheck | None:
        """The check of the account that an interview holds."""

    def ChangeSchemes(self, request: pb.ChangeSchemesRequest) -> pb.ChangeSchemesResponse:
        """Changes the schemes of a draft."""

        def change(conn: Connection) -> InterviewShown:
            claim_ref, schemes = reading.claim_ref(request.claim_ref), reading.schemes(request.schemes)
            return bindings.change_schemes(conn, self._catalogues, claim_ref, schemes, version=request.version)

        def respond(shown: InterviewShown) -> pb.ChangeSchemesResponse:
            response = pb.ChangeSchemesResponse()
            messages.put_interview(response.interview, shown, self._account(shown))
            return response

        return run_once(request, change, respond, rebuildable=self._rebuilt_interview)

    def MoveToCatalogue(self, request: pb.MoveToCatalogueRequest) -> pb.MoveToCatalogueResponse:
        """Binds a draft to the newest catalogue."""

        def move(conn: Connection) -> InterviewShown:
            claim_ref = reading.claim_ref(request.claim_ref)
            return bindings.move_to_catalogue(conn, self._catalogues, claim_ref, version=request.version)

        def respond(shown: InterviewShown) -> pb.MoveToCatalogueResponse:
            response = pb.MoveToCatalogueResponse(changes=[messages.history_entry(entry) for entry in shown.changes])
            messages.put_interview(response.interview, shown, self._account(shown))
            return response

        return run_once(request, move, respond, rebuildable=self._rebuilt_interview)
