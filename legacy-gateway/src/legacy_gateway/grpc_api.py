"""LegacyGatewayService: message ↔ domain, nothing else."""

from chassis import call, clock
from chassis.runtime import Runtime
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2
from legacy_gateway.domain import Message, ShownTransfer, State, System, standing
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
                gateway_pb2.SystemState(system=_system(system), state=_state(state))
                for system, state in standing(shown).items()
            ],
            transfers=[_transfer(transfer) for transfer in shown],
        )


def _transfer(shown: ShownTransfer) -> gateway_pb2.Transfer:
    transfer = shown.transfer
    message = gateway_pb2.Transfer(
        transfer_id=transfer.transfer_id,
        replaces=shown.replaces,
        claim_ref=transfer.claim_ref,
        action=gateway_pb2.TransferAction.Value(f"TRANSFER_ACTION_{transfer.action}"),
        system=_system(transfer.system),
        phase=transfer.phase,
        state=_state(transfer.state),
        attempts=shown.attempts,
        legacy_ref=shown.legacy_ref,
        messages=[_message(message) for message in shown.messages],
    )
    message.created.FromDatetime(shown.created)
    message.updated.FromDatetime(shown.updated)
    if shown.next_attempt_time is not None:
        # Due times are real time; a reader has the platform's.
        message.next_attempt_time.FromDatetime(shown.next_attempt_time + clock.offset())
    return message


def _message(message: Message) -> gateway_pb2.TransferMessage:
    return gateway_pb2.TransferMessage(
        code=message.code, field=message.field, text=message.text, question_id=message.question_id
    )


def _system(system: System) -> "common_pb2.System.ValueType":
    return common_pb2.System.Value(f"SYSTEM_{system}")


def _state(state: State) -> "gateway_pb2.TransferState.ValueType":
    return gateway_pb2.TransferState.Value(f"TRANSFER_STATE_{state}")
