"""Our server with what the conformance suite expects to find on it, over HTTP.

python -m tests.conformance.server [--bare]
"""

import sys
import tempfile
from pathlib import Path

from tests.conformance.contents import add_contents
from tests.conformance.dialogues import add_dialogues
from tests.conformance.input_required import add_input_required
from token_tracking_server.app import Server, create_server
from token_tracking_server.http import run_http
from token_tracking_server.settings import Settings

LIBRARY = {
    "guides/caching.md": "# Caching\n\nA cached prefix is read at a tenth of the price.\n",
    "skills/fill-forms/SKILL.md": "---\nname: fill-forms\ndescription: Fills forms in PDF files.\n"
    "---\n\n# Fill forms\n\nRead [the list of fields](references/FIELDS.md) first.\n",
    "skills/fill-forms/references/FIELDS.md": "# Fields\n\nText, check box, choice.\n",
    "skills/fill-forms/scripts/fields.py": "print('text', 'check box', 'choice')\n",
}


def write_settings(folder: Path) -> Settings:
    """An empty ledger and a small library in `folder`, told as a client's configuration would."""
    claude = folder / "claude"
    (claude / "projects").mkdir(parents=True)
    for name, text in LIBRARY.items():
        path = folder / "library" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Settings.from_environment(
        {
            "TOKEN_TRACKING_DB": str(folder / "ledger.db"),
            "TOKEN_TRACKING_CLAUDE_DIRS": str(claude),
            "TOKEN_TRACKING_LIBRARY": str(folder / "library"),
            "TOKEN_TRACKING_TIMEZONE": "UTC",
        }
    )


def add_fixtures(server: Server) -> Server:
    """The server, with the suite's fixtures beside what users find on it."""
    add_contents(server)
    add_dialogues(server)
    add_input_required(server)
    return server


def main() -> None:
    """Serve on a free port, which the log tells, until a signal ends it."""
    with tempfile.TemporaryDirectory() as folder:
        server = create_server(write_settings(Path(folder)), {})
        run_http(server if "--bare" in sys.argv else add_fixtures(server), "127.0.0.1", 0)


if __name__ == "__main__":
    main()
