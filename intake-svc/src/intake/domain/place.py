"""The directory's entry for an address's postcode, kept with the answer: the interview follows from its answers alone."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place of a postcode when the address was given.

    `is_listed`: the directory has the postcode. `councils` are GSS codes of the authorities to choose from, the likeliest
    first; none where the postcode alone tells.
    """

    is_listed: bool
    councils: tuple[str, ...]
