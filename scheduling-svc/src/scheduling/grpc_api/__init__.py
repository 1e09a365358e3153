"""SchedulingService: converts messages to the domain and back, and nothing else. One module for each theme."""

from datetime import timedelta

from chassis.postcodes import Postcodes
from scheduling.clients import Intake
from scheduling.domain.directory import Directory
from scheduling.grpc_api.absence_methods import AbsenceMethods
from scheduling.grpc_api.appointment_methods import AppointmentMethods
from scheduling.grpc_api.exchange_methods import ExchangeMethods
from scheduling.grpc_api.load_methods import LoadMethods
from scheduling.grpc_api.offer_methods import OfferMethods
from scheduling.grpc_api.replanning_messages import ReplanningMessages
from scheduling.grpc_api.rota_methods import RotaMethods
from scheduling.grpc_api.slot_methods import SlotMethods


class SchedulingApi(
    SlotMethods, AppointmentMethods, OfferMethods, RotaMethods, AbsenceMethods, ExchangeMethods, LoadMethods
):
    """The methods of the contract."""

    def __init__(
        self,
        *,
        directory: Directory,
        postcodes: Postcodes,
        intake: Intake,
        target: timedelta,
        diary_address: str,
    ) -> None:
        SlotMethods.__init__(self, directory, postcodes, intake, target)
        AppointmentMethods.__init__(self, directory, postcodes, intake, target)
        replanning = ReplanningMessages(directory=directory, target=target)
        RotaMethods.__init__(self, directory, replanning)
        AbsenceMethods.__init__(self, directory, replanning)
        OfferMethods.__init__(self, directory, postcodes, intake, target)
        ExchangeMethods.__init__(self, directory, intake, address=diary_address)
        LoadMethods.__init__(self, directory, target)
