"""LegacyGatewayService: message ↔ domain, nothing else."""

from chassis import call, clock
from chassis.conversions import timestamp
from chassis.enums import number_of
from chassis.runtime import Runtime
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2
from legacy_gateway.domain import ShownTransfer, standing
from legacy_gateway.service import queries


class LegacyGatewayApi:
    """The methods of the contract."""

    def __init__(self, runtime: Runtime) -> None:
        self._vault = runtime.vault

    def GetTransfers(self, request: gateway_pb2.GetTransfersRequest) -> gateway_pb2.GetTransfersResponse:
        """A claim's transfers; none if the claim was not confirmed."""
        with call.current().database.transaction() as conn:
            shown = queries.transfers_of(conn, self._vault, request.claim_ref)
        return gateway_pb2.GetTransfersResponse(
            systems=[
                gateway_pb2.SystemState(
                    system=number_of(common_pb2.System, system), state=number_of(gateway_pb2.TransferState, state)
                )
                for system, state in standing(shown).items()
            ],
            transfers=[_transfer(transfer) for transfer in shown],
        )


def _transfer(shown: ShownTransfer) -> gateway_pb2.Transfer:
    transfer, due = shown.transfer, shown.next_attempt_time
    return gateway_pb2.Transfer(
        transfer_id=transfer.transfer_id,
        replaces=shown.replaces,
        claim_ref=transfer.claim_ref,
        action=number_of(gateway_pb2.TransferAction, transfer.action),
        system=number_of(common_pb2.System, transfer.system),
        phase=transfer.phase,
        state=number_of(gateway_pb2.TransferState, transfer.state),
        attempts=shown.attempts,
        # Due times are real time; staff see the platform's.
        next_attempt_time=timestamp(due + clock.offset() if due else None),
        legacy_ref=shown.legacy_ref,
        messages=[gateway_pb2.TransferMessage(**vars(message)) for message in shown.messages],
        created=timestamp(shown.created),
        updated=timestamp(shown.updated),
    )
