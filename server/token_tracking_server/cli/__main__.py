"""`python -m token_tracking_server.cli`."""

from token_tracking_server.cli import run

run()
