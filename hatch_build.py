"""Part of every build: the packed vocabularies are the ones that tiktoken expects."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CheckVocabularies(BuildHookInterface[Any]):
    """Fails the build over a vocabulary whose SHA-256 is not tiktoken's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Check each; `version` and `build_data` stay as they are."""
        packed = runpy.run_path(str(Path(self.root) / "token_tracking" / "counting" / "packed.py"))
        for name in packed["SHA256"]:
            packed["check"](name, packed["unpack"](packed["packed_file"](name).read_bytes()))
