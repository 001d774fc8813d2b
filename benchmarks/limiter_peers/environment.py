"""The libraries' own environment, pinned, apart from what the project needs."""

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class PeersMissingError(RuntimeError):
    """The libraries could not be installed; the text ends with what pip said."""


def environment(cache: Path) -> Path:
    """The Python of the environment in `cache`, which is built where it is not as required now.

    Raises PeersMissingError if that fails.
    """
    folder = cache.absolute() / "limiter-peers"
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    mark, wanted = folder / "installed", _wanted()
    if mark.exists() and mark.read_text() == wanted:
        return python
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes"]
    install += ["--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    try:
        for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], install):
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or str(error).encode()
        raise PeersMissingError(told.decode(errors="replace")[-1_000:]) from error
    mark.write_text(wanted)
    return python


def _wanted() -> str:
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return f"{sys.version_info.major}.{sys.version_info.minor} {digest}"
