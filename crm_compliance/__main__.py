"""`python -m crm_compliance`, and the console command: looks whose packages these are before any of them is
loaded."""

import gc
import os
import sys

from crm_compliance.ownership import refuse_strangers

# Loading modules makes objects that live on: looking through them after each 2,000 takes a sixth of the
# start.
GARBAGE_AFTER = 200_000
# Whatever else is installed may ask to be called by the library of our models, which looks for that in all
# that is installed.
NO_PLUGINS = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}


def main() -> None:
    """Run the command that was typed."""
    gc.set_threshold(GARBAGE_AFTER)
    os.environ.update(NO_PLUGINS)  # noqa: TID251  a word to a library, and none of our settings
    refuse_strangers(sys.argv[1:])
    from crm_compliance.cli.app import main as run

    try:
        run()
    finally:
        gc.freeze()  # everything goes with the process: looking through it once more takes a quarter of a short command


if __name__ == "__main__":
    main()
