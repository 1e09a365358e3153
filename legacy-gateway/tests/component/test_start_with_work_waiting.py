"""The gateway begins while claims wait: its senders need the maps at the same moment."""

import subprocess
import sys

SHOW = """
from legacy_gateway.__main__ import service
from legacy_gateway.data import targets
from legacy_gateway.domain import System
from legacy_gateway.mapping import sources
from types import SimpleNamespace
names = "postcodes_file cms_cots_token_file pscs_key_file pscs_host_key_file".split()
service(SimpleNamespace(**dict.fromkeys(names)))
from legacy_gateway.mapping.asking import asking
print(sources.cache_info().currsize == len(System), asking.cache_info().currsize, targets.cache_info().currsize)
"""


def test_every_file_of_data_is_read_before_there_are_threads() -> None:
    shown = subprocess.run([sys.executable, "-c", SHOW], check=True, capture_output=True, text=True)

    assert shown.stdout.split() == ["True", "1", "1"]
