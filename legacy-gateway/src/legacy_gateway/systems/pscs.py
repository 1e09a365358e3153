"""PSCS, which pays Incapacity Benefit: batch files over SFTP, by docs/interfaces/legacy.md, "PSCS: the batch file"."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from chassis import clock
from chassis.errors import Unavailable
from chassis.sftp import FileState, SftpAway, SftpClient, SftpServer
from legacy_gateway.config import Settings
from legacy_gateway.domain import Exchange, HeldRecord, Result, Rules, System, SystemAnswer
from legacy_gateway.domain.batches import DayList, FileFault, NotBelieved, Response, Version
from legacy_gateway.systems.deployed import DeployedFiles
from legacy_gateway.systems.protocol import Found
from legacy_gateway.systems.pscs_files import (
    MOST_LIST_BYTES,
    MOST_RESPONSE_BYTES,
    Detail,
    must_fit_batch,
    read_day_list,
    read_response,
    write_batch,
)

_DAY = timedelta(days=1)

RULES = Rules(
    system=System.PSCS,
    schemes=("INCAPACITY_BENEFIT",),
    exchange=Exchange.FILES,
    recognises_repeat=False,  # of a record; of a file it does
    final_after_closing_seconds=3600.0,  # two cycles: the control file is written after the response
    most_connections=1,
)


class PscsFiles:
    """PSCS's folders. `seconds` bounds each exchange as a whole."""

    def __init__(self, client: SftpClient, *, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    def write(self, sequence: int, created: datetime, details: Sequence[tuple[str, bytes]]) -> bytes:
        """The bytes of a file of these transfers with their records. Raises RecordError."""
        return write_batch(sequence, created, [Detail(transfer_id=one, record=record) for one, record in details])

    def must_fit(self, record: bytes) -> None:
        """Raises RecordError unless the record can go in a file."""
        must_fit_batch(record)

    def put(self, sequence: int, content: bytes) -> None:
        """Puts a whole file in `in/`."""
        with self._client.within(seconds=self._seconds) as files:
            files.write_whole(_batch_path(sequence), content)

    def look(self, sequence: int) -> Found:
        """The response in `out/`, and whether the file was fetched and was known."""
        response = f"out/{_name(sequence)}.RSP"
        with self._client.within(seconds=self._seconds, most_bytes=MOST_RESPONSE_BYTES) as files:
            answer: tuple[Version, bytes] | None = None
            state = files.state(response)
            if state is not None and state.size > MOST_RESPONSE_BYTES:
                # As much as shows that it is too long: the reader refuses it.
                answer = _version(state), bytes(MOST_RESPONSE_BYTES + 1)
            elif (found := files.read(response, most_bytes=MOST_RESPONSE_BYTES)) is not None:
                answer = _version(found[0]), found[1]
            return Found(
                answer=answer,
                fetched=files.state(_batch_path(sequence)) is None,
                duplicate=files.state(f"out/{_name(sequence)}.DUP") is not None,
            )

    def read(self, answer: bytes) -> Response:
        """A response. Raises NotBelieved."""
        return read_response(answer)

    def day_list(self, day: date) -> DayList | None:
        """The control file of a day; None where there is none. Raises NotBelieved."""
        path = f"control/PSCS.D{day:%Y%m%d}.CTL"
        with self._client.within(seconds=self._seconds, most_bytes=MOST_LIST_BYTES) as files:
            state = files.state(path)
            if state is not None and state.size > MOST_LIST_BYTES:
                raise NotBelieved(FileFault.TOO_LONG)
            found = files.read(path, most_bytes=MOST_LIST_BYTES)
        return None if found is None else DayList(changed=found[0].changed, records=read_day_list(found[1]))

    def held_on(self, day: date) -> Iterator[Sequence[HeldRecord]]:
        """The records of a day's control file. Raises Unavailable where there is none, or where it is not believed."""
        try:
            found = self.day_list(day)
        except NotBelieved as wrong:
            raise Unavailable("LIST_NOT_BELIEVED", f"a control file is not believed: {wrong.fault}") from wrong
        if found is None:
            raise Unavailable("NO_LIST", "there is no control file of the day")
        yield found.records

    def ask(self, transfer_id: str) -> SystemAnswer:
        """Looks for a record in the newest control files, today's and the day's before: PSCS answers no enquiry.

        It may stand under an older day: who sends a record again because of this answer has read that day's list before.
        """
        today = clock.today()
        try:
            listed = [record for day in (today, today - _DAY) for page in self.held_on(day) for record in page]
        except SftpAway as away:
            return SystemAnswer(result=Result.NO_REPLY, reason=away.fault)
        except Unavailable as no_list:
            return SystemAnswer(result=Result.SYSTEM_ERROR, reason=no_list.reason)
        for record in listed:
            if record.transfer_id == transfer_id:
                return SystemAnswer(result=Result.HELD, legacy_ref=record.legacy_ref)
        return SystemAnswer(result=Result.NOT_KNOWN)

    def reset(self) -> None:
        """Ends the exchange under way."""
        self._client.reset()

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()


def _name(sequence: int) -> str:
    return f"CMS3.PSCS.S{sequence:06d}"


def _batch_path(sequence: int) -> str:
    return f"in/{_name(sequence)}.DAT"


def _version(state: FileState) -> Version:
    return Version(changed=state.changed, size=state.size)


def _connect(settings: Settings) -> PscsFiles:
    server = SftpServer(
        host=settings.pscs_host,
        port=settings.pscs_port,
        user=settings.pscs_user,
        key_file=settings.pscs_key_file,
        host_key_file=settings.pscs_host_key_file,
    )
    return PscsFiles(SftpClient(server), seconds=settings.file_seconds)


SYSTEM = DeployedFiles(rules=RULES, senders=lambda settings: settings.pscs_senders, connect=_connect)
