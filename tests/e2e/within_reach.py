"""Run a command in a mount namespace in which every user can reach Python.

Usage, as root: python tests/e2e/within_reach.py COMMAND…
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from as_user import open_the_way_to_python

if __name__ == "__main__":
    open_the_way_to_python()
    os.execv(sys.argv[1], sys.argv[1:])
