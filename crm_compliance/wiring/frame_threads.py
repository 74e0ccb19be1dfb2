"""How many threads the library of frames gets: as many as the settings let decide at once, and one where they
say nothing. It asks the environment, once, when it is loaded."""

import os
from typing import Final

from crm_compliance.configuration.setting_types import THREADS
from crm_compliance.configuration.settings import Settings

VARIABLE: Final = "POLARS_MAX_THREADS"


def limit_frame_threads(settings: Settings) -> None:
    """Set for the library of frames how many threads it may begin, unless somebody else has: with more of
    them than work at once, handing a page's frame from one to the other takes a twentieth of a plan
    (decision 0070). A lake is read as fast as the machine can, so there nothing is set. Without effect once
    the library is loaded."""
    if settings.crm_lake is None:
        at_once = settings.worker_count if settings.workers == THREADS else 1
        os.environ.setdefault(VARIABLE, str(at_once))
