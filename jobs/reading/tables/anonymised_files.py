"""The dossiers and fiches that are anonymised, among all that were read."""

from typing import Final

import polars as pl

from jobs.reading.tables.row_numbers import BASE, ROW, Numbered
from rules.model.records import UnitKind

ANONYMISED: Final = ("anonymised_on",)  # what few rows of these tables have


class AnonymisedFiles:
    """What is anonymised of these dossiers and fiches. `also`: the fiches of several dossiers with the others
    of these."""

    def __init__(self, dossiers: Numbered, fiches: Numbered, also: pl.DataFrame) -> None:
        self._dossiers, self._fiches, self._also = dossiers, fiches, also
        self._gone = dossiers.sparse["anonymised_on"].frame["number"]

    @property
    def units(self) -> pl.Series:
        """The units that are anonymised: dossiers, and lone fiches; of dossiers that share a fiche with one
        that is not, nobody can say that what belongs to it is without a term."""
        dossiers, shared = self._gone, self._with_a_live_dossier()
        if len(shared):
            dossiers = dossiers.filter(~dossiers.is_in(self._fiches.frame["dossier"][shared].implode()))
        return pl.concat([dossiers, self._fiches.sparse["anonymised_on"].frame["number"] + BASE[UnitKind.FICHE]])

    @property
    def live_fiches(self) -> int:
        """How many fiches, not anonymised, are in dossiers all of which are: they belong to no unit any more,
        so that no plan has a line for them."""
        if not len(self._gone):
            return 0
        fiches = self._fiches.frame["dossier"].is_in(self._gone.implode()).fill_null(False).arg_true().cast(ROW)
        fiches = fiches.filter(~fiches.is_in(self._with_a_live_dossier().implode()))
        return self._fiches.columns(fiches, *ANONYMISED).to_series().null_count()

    @property
    def open_dossiers(self) -> int:
        """How many anonymised dossiers are open: somebody works on them, and no plan has a line for them. One
        of which nothing says whether it is open is none of these: masking may have emptied that."""
        return int(self._dossiers.columns(self._gone, "is_active").to_series().sum()) if len(self._gone) else 0

    def _with_a_live_dossier(self) -> pl.Series:
        """Return the fiches of several dossiers that are in another one than these."""
        return self._also.filter(~pl.col("dossier").is_in(self._gone.implode()))["fiche"]
