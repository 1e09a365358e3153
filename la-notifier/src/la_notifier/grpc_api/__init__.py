"""LaNotifierService: converts messages to the domain and back, and nothing else. One module for each theme."""

from chassis.postcodes import Postcodes
from chassis.vault import Vault
from la_notifier.clients import Claims
from la_notifier.grpc_api.authority_methods import AuthorityMethods
from la_notifier.grpc_api.desk_methods import DeskMethods
from la_notifier.grpc_api.letter_methods import LetterMethods
from la_notifier.grpc_api.message_methods import MessageMethods
from la_notifier.grpc_api.notice_methods import NoticeMethods
from la_notifier.grpc_api.redirect_methods import RedirectMethods
from la_notifier.grpc_api.work_item_methods import WorkItemMethods


class LaNotifierApi(
    NoticeMethods, AuthorityMethods, DeskMethods, WorkItemMethods, RedirectMethods, LetterMethods, MessageMethods
):
    """The methods of the contract."""

    def __init__(self, vault: Vault, *, postcodes: Postcodes, claims: Claims) -> None:
        NoticeMethods.__init__(self, claims)
        AuthorityMethods.__init__(self, postcodes)
        DeskMethods.__init__(self, vault)
        WorkItemMethods.__init__(self, vault)
        RedirectMethods.__init__(self, claims)
        LetterMethods.__init__(self, vault)
