"""`python -m crm_compliance`, and the console command: looks whose packages these are before any of them is loaded."""

from __future__ import annotations

import gc
import sys

from crm_compliance.ownership import refuse_strangers

# Loading modules makes objects that live on: looking through them after each 2,000 takes a seventh of the start.
GARBAGE_AFTER = 50_000


def main() -> None:
    """Run the command that was typed."""
    gc.set_threshold(GARBAGE_AFTER)
    refuse_strangers(sys.argv[1:])
    from crm_compliance.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
