"""`python -m token_tracking_server.cli`."""

import sys

from token_tracking_server.cli import main

sys.exit(main())
