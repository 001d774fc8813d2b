"""Environments of peers' own: pinned, hash-checked, apart from what the project needs."""

import hashlib
import subprocess
import sys
from pathlib import Path


class PeersMissingError(RuntimeError):
    """The peers could not be installed; the text ends with what pip said."""


class PeerEnvironment:
    """A virtual environment in a folder of `cache`, with what a requirements file pins."""

    def __init__(self, cache: Path, name: str, requirements: Path) -> None:
        self._folder = cache.absolute() / name
        self._requirements = requirements

    @property
    def python(self) -> Path:
        """Its interpreter, whether it is there or not."""
        return self.command("python")

    def command(self, name: str) -> Path:
        """A command that is installed in it."""
        return self._folder / ("Scripts" if sys.platform == "win32" else "bin") / name

    def is_installed(self) -> bool:
        """Whether it is as required now."""
        return self._mark.exists() and self._mark.read_text() == self._wanted()

    def install(self) -> None:
        """Build it where it is not as required now. Raises PeersMissingError if that fails."""
        if self.is_installed():
            return
        install = [str(self.python), "-m", "pip", "install", "--quiet", "--no-input"]
        install += ["--disable-pip-version-check", "--require-hashes"]
        install += ["-r", str(self._requirements)]
        try:
            for command in ([sys.executable, "-m", "venv", "--clear", str(self._folder)], install):
                subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            told = getattr(error, "stderr", None) or str(error).encode()
            raise PeersMissingError(told.decode(errors="replace")[-1_000:]) from error
        self._mark.write_text(self._wanted())

    @property
    def _mark(self) -> Path:
        return self._folder / "installed"

    def _wanted(self) -> str:
        digest = hashlib.sha256(self._requirements.read_bytes()).hexdigest()
        return f"{sys.version_info.major}.{sys.version_info.minor} {digest}"
