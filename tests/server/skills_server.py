"""A server of the skills below a folder, on standard input and output.

python -m tests.server.skills_server FOLDER...
"""

import sys
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from pydantic import AnyUrl

from token_tracking_server.content.roots import Roots
from token_tracking_server.skills.extension import Skills
from token_tracking_server.skills.source import RootsSource, SkillSource
from token_tracking_server.skills.uris import is_skill
from token_tracking_server.stdio import run_stdio


class SkillsServer(MCPServer[Any]):
    """A server that has nothing but skills."""

    def __init__(self, source: SkillSource) -> None:
        self.skills = Skills(source)
        super().__init__(
            "skills",
            extensions=[self.skills],
            middleware=[self.skills.announce],
            log_level="WARNING",
        )

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Any:
        if is_skill(str(uri)):
            return await self.skills.read(str(uri))
        return await super().read_resource(uri, context)


def skills_server(*folders: Path) -> SkillsServer:
    """A server of the skills below folders."""
    return SkillsServer(RootsSource(Roots(folders)))


if __name__ == "__main__":
    run_stdio(skills_server(*map(Path, sys.argv[1:])))
