"""The peers' own environment: LangChain and LiteLLM, pinned, apart from what the project needs."""

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class PeersMissingError(RuntimeError):
    """The peers could not be installed; the text ends with what pip said."""


def installed(cache: Path) -> Path | None:
    """The Python of the environment in `cache`, or None where it is not as required now."""
    folder = cache.absolute() / "window-peers"
    mark = folder / "installed"
    if mark.exists() and mark.read_text() == _wanted():
        return _python(folder)
    return None


def environment(cache: Path) -> Path:
    """The Python of the environment in `cache`, which is built where it is not as required now.

    Takes a minute and 450 MB of disk the first time. Raises PeersMissingError if that fails.
    """
    if found := installed(cache):
        return found
    folder = cache.absolute() / "window-peers"
    install = [str(_python(folder)), "-m", "pip", "install", "--quiet", "--no-input"]
    install += ["--disable-pip-version-check", "--require-hashes", "-r", str(REQUIREMENTS)]
    try:
        for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], install):
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or str(error).encode()
        raise PeersMissingError(told.decode(errors="replace")[-1_000:]) from error
    (folder / "installed").write_text(_wanted())
    return _python(folder)


def _wanted() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor} {_digest()}"


def _digest() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _python(folder: Path) -> Path:
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
