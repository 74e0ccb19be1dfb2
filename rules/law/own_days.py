"""The one day that a recording, an audio attachment, a gift, a course, an agreement or a row of a dependent
table counts from. Source: RET-05, RET-14, RET-16, DAT-14, section 2.3."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from rules.law.codes import surely, text
from rules.law.days import is_to_come
from rules.law.terms import Basis, Terms
from rules.model.records import RELATION_KINDS, UnitKind
from rules.retention.clocks import COMMUNICATED_ON, CREATED_ON, ENDED_ON, STARTED_ON
from rules.retention.relations import anchor_of

_OTHERS: Final = (*RELATION_KINDS, UnitKind.OWN_TABLE)
_KIND: Final = pl.col("kind")
IS_RECORDING: Final = UnitKind.RECORDING.value == _KIND
IS_ATTACHMENT: Final = UnitKind.ATTACHMENT.value == _KIND
IS_EMAIL: Final = UnitKind.EMAIL.value == _KIND
IS_CONVERSATION: Final = IS_RECORDING | IS_ATTACHMENT

COUNTS_FROM_END: Final = pl.col("ended_on").is_not_null()  # DAT-14: a conversation from its end, without one from its start
COUNTS_FROM_CREATION: Final = pl.col("has_fiche") & pl.col("fiche_communicated_on").is_null()  # RET-05: of the fiche
OWN_DAY: Final = (
    pl.when(IS_RECORDING)
    .then(pl.coalesce("ended_on", "started_on"))
    .when(IS_ATTACHMENT)
    .then(pl.coalesce("fiche_communicated_on", "fiche_created_on"))
    .when(IS_EMAIL)
    .then("sent_on")
    .otherwise("counted_from")
)


def _anchor_outside() -> pl.Expr:
    anchor = text(None)
    for kind in _OTHERS:
        anchor = pl.when(kind.value == _KIND).then(text(anchor_of(kind))).otherwise(anchor)
    return anchor


OWN_ANCHOR: Final = (
    pl.when(IS_RECORDING)
    .then(pl.when(COUNTS_FROM_END).then(text(ENDED_ON)).otherwise(text(STARTED_ON)))
    .when(IS_ATTACHMENT)
    .then(pl.when(COUNTS_FROM_CREATION).then(text(CREATED_ON)).otherwise(text(COMMUNICATED_ON)))
    .otherwise(_anchor_outside())
)
# RET-16: of an e-mail, which has no term, and of a conversation that has one. The creation of a row is no
# fact about the conversation.
OWN_DAY_TO_COME: Final = (IS_EMAIL | surely(IS_CONVERSATION & pl.col("has_clock") & (pl.col("own_anchor") != CREATED_ON))) & is_to_come(
    pl.col("own_day")
)
FROM_CREATION: Final = surely(pl.col("own_anchor") == CREATED_ON)

_OF_FILES: Final = (
    pl.lit(None, pl.Date).alias("own_day"),
    text(None).alias("own_anchor"),
    pl.lit(False).alias("own_day_to_come"),
    pl.lit(False).alias("counted_from_creation"),
)


def with_own_days(units: pl.DataFrame, terms: Iterable[Terms]) -> pl.DataFrame:
    """Add `own_day` to each unit that is not a file, and `own_anchor`, the column that has it;
    `own_day_to_come` where that is an error; `counted_from_creation` where nothing better is known. `terms`
    are those of these units."""
    if all(each.basis is Basis.FILE for each in terms):
        return units.with_columns_seq(_OF_FILES)
    return units.with_columns_seq(own_day=OWN_DAY, own_anchor=OWN_ANCHOR).with_columns_seq(
        own_day_to_come=OWN_DAY_TO_COME, counted_from_creation=FROM_CREATION
    )
