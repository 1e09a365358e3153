"""docker-compose.yml for real: by Docker where an engine runs, else by a command that stands in for it.

The settings: CMS_COMPOSE gives the words of a command that does what `docker compose` does, CMS_CONTAINERS those of one
that does what `docker` does.
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
_LAB = ROOT.parent / "shared" / "container-lab" / "lab"


class NoEngine(Exception):
    """There is nothing here that runs containers."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Two commands."""

    compose_words: tuple[str, ...]
    container_words: tuple[str, ...]

    @classmethod
    def find(cls) -> "Engine":
        """What this machine has. Raises NoEngine."""
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
        if _LAB.exists():
            return cls(compose_words=(str(_LAB), "compose"), container_words=(str(_LAB), "podman"))
        raise NoEngine("no Docker engine runs here, and CMS_COMPOSE names nothing that stands in for it")

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
