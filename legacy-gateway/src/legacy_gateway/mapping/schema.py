"""The schema of the files that say which answer supplies which field of a system's records."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, field


class FieldSource(Struct, frozen=True, forbid_unknown_fields=True):
    """The source of one field of a record. `question` is empty if the platform itself supplies the field."""

    form: str
    question: str = ""
    fact: str = ""
    facts: tuple[str, ...] = ()
    codes: Mapping[str, str | int] = {}
    absent: str | None = None
    required: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError unless the form `code`, and no other form, has a table of codes."""
        if bool(self.codes) != (self.form == "code"):
            raise ValueError("the form code, and no other form, needs a table of codes")

    @property
    def from_facts(self) -> tuple[str, ...]:
        """The names of the facts that the field is made from."""
        return self.facts or (self.fact or self.question,)


class Phase(Struct, frozen=True, forbid_unknown_fields=True):
    """A record of the system: the dialogue that takes it, and its layout."""

    number: Annotated[int, Meta(ge=1)]
    dialogue: str
    record: str


class Sources(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file: `fields` by record; every record begins with those under `common`."""

    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)] = field(name="phase")
    fields: Mapping[str, Mapping[str, FieldSource]]

    def of_record(self, record: str) -> Mapping[str, FieldSource]:
        """The sources of every field of a record."""
        return {**self.fields["common"], **self.fields[record]}
