"""LegacyGatewayService: message ↔ domain, nothing else."""

from chassis import access_log, call, clock
from chassis.database import Row
from chassis.runtime import Runtime
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2
from legacy_gateway import service
from legacy_gateway.domain import Message, State


class LegacyGatewayApi:
    """The methods of the contract."""

    def __init__(self, runtime: Runtime) -> None:
        self._vault = runtime.vault

    def GetTransfers(self, request: gateway_pb2.GetTransfersRequest) -> gateway_pb2.GetTransfersResponse:
        """A claim's transfers; none where it was not confirmed."""
        with call.current().database.transaction() as conn:
            transfers = service.transfers_of(conn, self._vault, request.claim_ref)
            if any(messages for _, messages in transfers):
                access_log.record_access(conn, claim_ref=request.claim_ref)
        return gateway_pb2.GetTransfersResponse(
            systems=[
                gateway_pb2.SystemState(system=_system(name), state=_state(state))
                for name, state in service.standing(row for row, _ in transfers).items()
            ],
            transfers=[_transfer(row, messages) for row, messages in transfers],
        )


def _transfer(row: Row, messages: list[Message]) -> gateway_pb2.Transfer:
    transfer = gateway_pb2.Transfer(
        transfer_id=row["transfer_id"],
        replaces=row["replaces"] or "",
        claim_ref=row["claim_ref"],
        action=gateway_pb2.TransferAction.Value(f"TRANSFER_ACTION_{row['action']}"),
        system=_system(row["system"]),
        phase=row["phase"],
        state=_state(State(row["state"])),
        attempts=row["attempts"],
        legacy_ref=row["legacy_ref"],
        messages=[_message(message) for message in messages],
    )
    transfer.created.FromDatetime(row["created"])
    transfer.updated.FromDatetime(row["updated"])
    if row["next_attempt_time"] is not None:
        # Due times are real time; a reader has the platform's.
        transfer.next_attempt_time.FromDatetime(row["next_attempt_time"] + clock.offset())
    return transfer


def _message(message: Message) -> gateway_pb2.TransferMessage:
    return gateway_pb2.TransferMessage(
        code=message.code, field=message.field, text=message.text, question_id=message.question_id
    )


def _system(name: str) -> "common_pb2.System.ValueType":
    return common_pb2.System.Value(f"SYSTEM_{name}")


def _state(state: State) -> "gateway_pb2.TransferState.ValueType":
    return gateway_pb2.TransferState.Value(f"TRANSFER_STATE_{state}")
