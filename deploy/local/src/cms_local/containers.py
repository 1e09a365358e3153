"""Prepares a development platform in containers: keys, tokens and the postcode directory, in one folder."""

import os
from pathlib import Path

from chassis import clock, postcodes
from cms_local import keys
from la_notifier.authorities import AuthorityTable


def prepare(folder: Path) -> None:
    """Makes what is absent in `folder`, readable by the services, which run as the same user."""
    keys.make_keys(folder / "keys", authority_codes=AuthorityTable.load().codes(clock.today()))
    postcodes.ensure(folder / "postcodes.sqlite")


if __name__ == "__main__":
    prepare(Path(os.environ["CMS_PREPARED_FOLDER"]))
