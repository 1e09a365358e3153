"""The methods that show a claim's transfers, and end what a system held of a withdrawn claim."""

from chassis import call
from chassis.conversions import timestamp
from chassis.database import Connection
from chassis.entitlement import Entitlement
from chassis.enums import name_of, number_of
from chassis.idempotency import run_once
from chassis.vault import Vault
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2
from legacy_gateway.domain import UncarriedScheme, WithdrawnRecord, standing
from legacy_gateway.grpc_api.transfer_messages import transfer_message
from legacy_gateway.service import queries, withdrawals


class TransferMethods:
    """Shows transfers, and records removals."""

    def __init__(self, vault: Vault, entitlement: Entitlement) -> None:
        self._vault = vault
        self._entitlement = entitlement

    def GetTransfers(self, request: gateway_pb2.GetTransfersRequest) -> gateway_pb2.GetTransfersResponse:
        """A claim's transfers; none if the claim was not confirmed."""
        purpose = self._entitlement.purpose(request.claim_ref)
        with call.current().database.transaction() as conn:
            shown = queries.show_claim(conn, self._vault, request.claim_ref, purpose=purpose)
        return gateway_pb2.GetTransfersResponse(
            systems=[
                gateway_pb2.SystemState(
                    system=number_of(common_pb2.System, system), state=number_of(gateway_pb2.TransferState, state)
                )
                for system, state in standing(shown.transfers).items()
            ],
            transfers=[transfer_message(transfer) for transfer in shown.transfers],
            uncarried_schemes=[_uncarried(scheme) for scheme in shown.uncarried],
            withdraw_time=timestamp(shown.withdraw_time),
            withdrawn_records=[_withdrawn(record) for record in shown.withdrawn_records],
        )

    def RecordRemoval(self, request: gateway_pb2.RecordRemovalRequest) -> gateway_pb2.RecordRemovalResponse:
        """Ends what a system held of a withdrawn claim."""

        def remove(conn: Connection) -> list[WithdrawnRecord]:
            system = name_of(common_pb2.System, request.system, field="system")
            by = call.current().identity.subject
            return withdrawals.record_removal(conn, request.claim_ref, system, by=by)

        return run_once(
            request,
            remove,
            lambda records: gateway_pb2.RecordRemovalResponse(
                withdrawn_records=[_withdrawn(record) for record in records]
            ),
        )


def _uncarried(scheme: UncarriedScheme) -> gateway_pb2.UncarriedScheme:
    return gateway_pb2.UncarriedScheme(
        scheme=number_of(common_pb2.Scheme, scheme.scheme),
        claim_version=scheme.claim_version,
        confirmed_time=timestamp(scheme.confirmed_time),
    )


def _withdrawn(record: WithdrawnRecord) -> gateway_pb2.WithdrawnRecord:
    return gateway_pb2.WithdrawnRecord(
        system=number_of(common_pb2.System, record.system),
        half=record.half,
        since_time=timestamp(record.since),
        removed_time=timestamp(record.removed_time),
    )
