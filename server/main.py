"""The desktop bundle's entry point: `serve`, from the files beside this one.

Arguments are Claude folders, as the bundle's settings name them; none means the usual ones.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

if __name__ == "__main__":
    from token_tracking_server.cli import main

    sys.exit(main(["serve", *sys.argv[1:]]))
