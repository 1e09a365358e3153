"""The acts of a person on a version of a notice: recording the authority's receipt or refusal, and sending it again."""

from chassis.errors import FailedPrecondition, NotFound, PermissionDenied
from la_notifier.domain.channels import Channel
from la_notifier.domain.notices import NoticeState, NoticeVersion, Step


class NoticeUnknown(NotFound):
    """There is no such notice, or no such version of it."""

    def __init__(self) -> None:
        super().__init__("NOTICE_UNKNOWN", "there is no such notice, or no such version of it")


class AuthorityRequired(PermissionDenied):
    """The council officer's token names no authority."""

    def __init__(self) -> None:
        super().__init__("AUTHORITY_REQUIRED", "the token names no authority")


class OtherAuthority(PermissionDenied):
    """Council officers see and do nothing with the notices of another authority."""

    def __init__(self) -> None:
        super().__init__("OTHER_AUTHORITY", "council officers can work only on their own authority's notices")


class ReceiptContradicts(FailedPrecondition):
    """A refusal of a version that the authority said it had loaded."""

    def __init__(self) -> None:
        super().__init__(
            "RECEIPT_CONTRADICTS",
            "the authority said that it loaded this version: ask it what it holds before you go on",
        )


class NothingToResend(FailedPrecondition):
    """The newest version of the notice is at its end, or the authority needs the notice no more."""

    def __init__(self, state: NoticeState) -> None:
        super().__init__("NOTHING_TO_RESEND", f"the newest version of the notice is {state}: nothing is sent again")


class FileAnswered(FailedPrecondition):
    """The authority has answered the file in which the version went, and answers it as before for ever."""

    def __init__(self) -> None:
        super().__init__(
            "FILE_ANSWERED", "the authority has answered the file of this notice: ask it what it holds, and record that"
        )


def resent(version: NoticeVersion, channel: Channel) -> Step:
    """The step that sends the newest version again, at once and with the same bytes: the authority knows a repeat.

    A version that went in a file stays SENT: its authority is asked by the same file, never by a new one. Once it is REFUSED,
    by the acknowledgement or by a person's word, it goes in the next file.
    One that was refused before it had a receipt is not held.
    Raises NothingToResend where the version is LOADED or SUPERSEDED, or not wanted.
    """
    in_file = channel is Channel.SFTP and version.state is NoticeState.SENT
    if version.state in (NoticeState.LOADED, NoticeState.SUPERSEDED) or not version.is_wanted:
        raise NothingToResend(version.state)
    return Step(
        state=NoticeState.SENT if in_file else NoticeState.WAITING,
        wait_seconds=None if in_file else 0,
        may_be_held=version.may_be_held and not (version.state is NoticeState.REFUSED and version.sent_time is None),
        is_disputed=version.is_disputed,
    )
