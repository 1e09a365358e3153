"""Runs docker-compose.yml by Docker, or by commands that do the same.

CMS_COMPOSE names a command that does what `docker compose` does, CMS_CONTAINERS one that does what `docker` does.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from cms_local.layout import ROOT, Layout

LAYOUT = Layout(None, "containers")
TIME_SCALE = "0.1"
_KEYS = ("issuer.pem", "jwks.json")


class NoEngine(Exception):
    """This machine has nothing that runs containers."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The command for compose and the command for single containers."""

    compose_words: tuple[str, ...]
    container_words: tuple[str, ...]

    @classmethod
    def find(cls) -> "Engine":
        """Finds what this machine has. Raises NoEngine."""
        if "CMS_COMPOSE" in os.environ:
            return cls(
                compose_words=tuple(shlex.split(os.environ["CMS_COMPOSE"])),
                container_words=tuple(shlex.split(os.environ["CMS_CONTAINERS"])),
            )
        if (
            shutil.which("docker")
            and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
        ):
            return cls(compose_words=("docker", "compose"), container_words=("docker",))
        raise NoEngine("no Docker engine runs here, and CMS_COMPOSE does not name another command")

    def compose(self, *words: str, check: bool = True) -> str:
        """Runs `docker compose …` in the project's folder; gives what it printed."""
        return _run([*self.compose_words, *words], {"CMS_TIME_SCALE": TIME_SCALE}, check=check)

    def containers(self, *words: str, check: bool = True) -> str:
        """Runs `docker …`; gives what it printed."""
        return _run([*self.container_words, *words], {}, check=check)

    def fetch_keys(self) -> None:
        """Copies the issuer's key out of the running containers, so that tokens can be issued here."""
        folder = LAYOUT.keys("")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        for name in _KEYS:
            text = self.compose("exec", "-T", "intake-svc", "cat", f"/prepared/keys/{name}")
            (folder / name).write_text(text)


def _run(words: list[str], more: Mapping[str, str], *, check: bool) -> str:
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, check=False, timeout=1200
    )
    if check and done.returncode != 0:
        raise RuntimeError(f"{shlex.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout
