"""The message of a transfer, which several methods show."""

from chassis import clock
from chassis.conversions import timestamp
from chassis.enums import number_of
from cms.common.v1 import common_pb2
from cms.gateway.v1 import gateway_pb2
from legacy_gateway.domain import ShownTransfer
from legacy_gateway.grpc_api.check_methods import words


def transfer_message(shown: ShownTransfer) -> gateway_pb2.Transfer:
    """The message of a transfer as staff see it."""
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
        next_attempt_time=timestamp(clock.as_shown(due)),
        legacy_ref=shown.legacy_ref,
        messages=[
            gateway_pb2.TransferMessage(**vars(message), ask=words(code=message.code, question_id=message.question_id))
            for message in shown.messages
        ],
        created=timestamp(shown.created),
        updated=timestamp(shown.updated),
    )
