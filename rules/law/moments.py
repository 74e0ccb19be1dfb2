"""The days of a file (a dossier or a lone fiche) that a period may count from. Source: RET-01, RET-07,
RET-10, RET-13, RET-14, RET-16."""

from datetime import date
from typing import Final

import polars as pl

from rules.law.codes import surely, together
from rules.law.days import is_to_come
from rules.law.row_numbers import beside
from rules.model.records import OF_ITS_DOSSIER

# Of a fiche: it counts by its communication, without one by its creation (RET-07).
COUNTS_ON: Final = pl.coalesce("communicated_on", "created_on")
COUNTS_BY_CREATION: Final = pl.col("communicated_on").is_null() & pl.col("created_on").is_not_null()
COMMUNICATION_TO_COME: Final = is_to_come(pl.col("communicated_on"))  # RET-16

# Of a file, over its fiches.
FIRST_FICHE_ON: Final = pl.col("counts_on").min()  # RET-09
LAST_COMMUNICATION: Final = pl.col("counts_on").max()  # RET-07
IS_UNDATED: Final = pl.col("counts_on").is_null().any()
CREATED_USED: Final = pl.col("by_creation").any()
FICHE_TO_COME: Final = pl.col("is_to_come").any()
HAS_UNCATEGORISED: Final = (pl.col("categories") == "").any()  # RET-14
GOES_BY_DOSSIER: Final = (pl.col("categories") == OF_ITS_DOSSIER).any()

# Of a file by itself.
IS_DOSSIER: Final = pl.col("categories").is_not_null()
IS_OPEN: Final = IS_DOSSIER & pl.col("is_active").ne_missing(False)  # RET-13: not read counts as active, doubt keeps
SHUT_ON: Final = pl.when(~IS_OPEN).then("closed_on")
LAST_ACTIVITY_ON: Final = pl.max_horizontal("last_communication", "reopened_on")  # RET-07: a closing never is one
LATE_ACTIVITY_ON: Final = pl.max_horizontal(LAST_ACTIVITY_ON, SHUT_ON)  # RET-10
CLOSING_IS_LAST: Final = surely(LAST_ACTIVITY_ON.fill_null(date.min) < SHUT_ON)  # RET-10
IS_FUTURE: Final = together(  # RET-16, also a closing of an active dossier
    surely(pl.col("fiche_to_come")), *(is_to_come(pl.col(name)) for name in ("reopened_on", "closed_on", "proceedings_ended_on"))
)

_OF_OTHERS: Final = (  # of what is no file, which has none of these days
    *(
        pl.lit(None, pl.Date).alias(name)
        for name in ("first_fiche_on", "last_communication", "last_activity", "shut_on", "late_activity_on")
    ),
    *(pl.lit(None, pl.Boolean).alias(name) for name in ("fiche_to_come", "has_uncategorised", "goes_by_dossier")),
    *(pl.lit(False).alias(name) for name in ("is_undated", "created_used", "is_open", "closing_is_last", "is_future")),
)


def counted(fiches: pl.DataFrame) -> pl.DataFrame:
    """Add `counts_on` to each fiche, with `by_creation` and `is_to_come`."""
    return fiches.with_columns_seq(counts_on=COUNTS_ON, by_creation=COUNTS_BY_CREATION, is_to_come=COMMUNICATION_TO_COME)


def with_moments(units: pl.DataFrame, fiches: pl.DataFrame) -> pl.DataFrame:
    """Add the days that count of each file.

    `first_fiche_on`, `last_activity`: of its fiches and its re-opening. `is_undated`: a fiche has no day at
    all, so the last activity is unknown. `created_used`: a fiche's creation replaced its communication.
    `is_open`: in active state, or not read. `shut_on`: the closing of a dossier that is not open.
    `late_activity_on`: the later of last activity and closing, `closing_is_last` which of them. `is_future`:
    one of these days is still to come."""
    if fiches.is_empty() and units["categories"].null_count() == units.height:
        return units.with_columns_seq(_OF_OTHERS)
    of_fiches = fiches.group_by("row").agg(
        first_fiche_on=FIRST_FICHE_ON,
        last_communication=LAST_COMMUNICATION,
        is_undated=IS_UNDATED,
        created_used=CREATED_USED,
        fiche_to_come=FICHE_TO_COME,
        has_uncategorised=HAS_UNCATEGORISED,
        goes_by_dossier=GOES_BY_DOSSIER,
    )
    return beside(units, of_fiches).with_columns_seq(
        last_activity=LAST_ACTIVITY_ON,
        is_undated=surely(pl.col("is_undated")),
        created_used=surely(pl.col("created_used")),
        is_open=IS_OPEN,
        shut_on=SHUT_ON,
        late_activity_on=LATE_ACTIVITY_ON,
        closing_is_last=CLOSING_IS_LAST,
        is_future=IS_FUTURE,
    )
