"""LegacyGatewayService: converts messages to the domain and back, and nothing else. One module for each theme."""

from chassis.runtime import Runtime
from legacy_gateway.grpc_api.transfer_methods import TransferMethods


class LegacyGatewayApi(TransferMethods):
    """The methods of the contract."""

    def __init__(self, runtime: Runtime) -> None:
        TransferMethods.__init__(self, runtime.vault)
