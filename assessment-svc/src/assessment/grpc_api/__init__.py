"""AssessmentService: converts messages to the domain and back, and nothing else. One module for each theme."""

from assessment.clients import Intake, Outcomes
from assessment.domain.clocks import Targets
from assessment.grpc_api.assessing_methods import AssessingMethods
from assessment.grpc_api.bundle_methods import BundleMethods
from assessment.grpc_api.closing_methods import ClosingMethods
from assessment.grpc_api.confirming_methods import ConfirmingMethods
from assessment.grpc_api.crisis_methods import CrisisMethods
from assessment.grpc_api.desk_methods import DeskMethods
from assessment.grpc_api.emergency_methods import EmergencyMethods
from assessment.grpc_api.evidence_methods import EvidenceMethods
from assessment.grpc_api.work_methods import WorkMethods


class AssessmentApi(
    WorkMethods,
    DeskMethods,
    AssessingMethods,
    ConfirmingMethods,
    ClosingMethods,
    CrisisMethods,
    EmergencyMethods,
    EvidenceMethods,
    BundleMethods,
):
    """The methods of the contract. Each call reads the answers that it shows from intake."""

    def __init__(self, intake: Intake, outcomes: Outcomes, targets: Targets) -> None:
        DeskMethods.__init__(self, intake, outcomes, targets)
        WorkMethods.__init__(self, targets)
        AssessingMethods.__init__(self, intake)
        ConfirmingMethods.__init__(self, intake)
        CrisisMethods.__init__(self, intake)
        BundleMethods.__init__(self, intake)
