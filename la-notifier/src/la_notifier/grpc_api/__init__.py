"""LaNotifierService: converts messages to the domain and back, and nothing else. One module for each theme."""

from chassis.postcodes import Postcodes
from la_notifier.grpc_api.authority_methods import AuthorityMethods
from la_notifier.grpc_api.message_methods import MessageMethods
from la_notifier.grpc_api.notice_methods import NoticeMethods


class LaNotifierApi(NoticeMethods, AuthorityMethods, MessageMethods):
    """The methods of the contract."""

    def __init__(self, *, postcodes: Postcodes) -> None:
        AuthorityMethods.__init__(self, postcodes)
