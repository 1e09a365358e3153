"""The use cases: each loads, decides and saves, on the connection it is given, for the caller of the current call."""

from functools import cache

from intake.domain.script import Script
from intake.domain.script_file import SCRIPTS, load_script


@cache
def script_in_use() -> Script:
    """The script of the one scheme that can be claimed. Raises ScriptError where its file is faulty."""
    return load_script(SCRIPTS / "jobseekers_allowance.toml")
