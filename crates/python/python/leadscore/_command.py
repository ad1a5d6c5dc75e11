"""The `leadscore` command."""

from __future__ import annotations

import sys

from leadscore import _native


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    sys.exit(_native.run_command(["leadscore", *sys.argv[1:]]))
