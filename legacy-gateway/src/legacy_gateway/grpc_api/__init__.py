"""LegacyGatewayService: converts messages to the domain and back, and nothing else. One module for each theme."""

from chassis.entitlement import Entitlement
from chassis.postcodes import Postcodes
from chassis.runtime import Runtime
from legacy_gateway.amending import Amending
from legacy_gateway.clients import Claims
from legacy_gateway.grpc_api.balance_methods import BalanceMethods
from legacy_gateway.grpc_api.check_methods import CheckMethods
from legacy_gateway.grpc_api.decision_methods import DecisionMethods
from legacy_gateway.grpc_api.desk_methods import DeskMethods
from legacy_gateway.grpc_api.system_methods import SystemMethods
from legacy_gateway.grpc_api.transfer_methods import TransferMethods
from legacy_gateway.service.accepted import Desk


class LegacyGatewayApi(TransferMethods, DeskMethods, DecisionMethods, BalanceMethods, CheckMethods, SystemMethods):
    """The methods of the contract."""

    def __init__(
        self,
        runtime: Runtime,
        amending: Amending,
        *,
        intake: Claims,
        entitlement: Entitlement,
        postcodes: Postcodes,
        accepted: Desk,
    ) -> None:
        TransferMethods.__init__(self, runtime.vault, entitlement)
        DeskMethods.__init__(self, runtime.vault, amending)
        DecisionMethods.__init__(self, accepted)
        CheckMethods.__init__(self, intake, postcodes)
