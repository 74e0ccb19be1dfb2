"""What few contacts have beside their row: when they were born, and to whom they lead."""

from typing import Final

import polars as pl

from connectors.interface.id_numbers import ID
from jobs.reading.tables.compact_ids import Ids
from jobs.reading.tables.sparse import Sparse
from rules.law.facts import CHILDREN

BIRTHS: Final = {name: dtype for name, dtype in CHILDREN.items() if name != "row"}
PARENTS: Final = {"parent": ID, "parent_kind": pl.String}
_KEPT_BIRTHS: Final = {name: pl.Int32 if dtype == pl.Int64 else dtype for name, dtype in BIRTHS.items()}
_WITHIN: Final = pl.col(pl.Int64).clip(-(2**31), 2**31 - 1)  # what is not a year or age stays none


class Particulars:
    """Births and parents of contacts, by the numbers of these."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._births, self._parents = Sparse(_KEPT_BIRTHS), Sparse(PARENTS)

    @property
    def parents(self) -> pl.DataFrame:
        """The contacts that lead to a contact or an account, with the number of its id, and its kind."""
        return self._parents.frame.rename({"number": "contact"})

    def births_of(self, contacts: pl.Series) -> pl.DataFrame:
        """Return what is recorded of the births of contacts, in their order."""
        return self._births.of(contacts).cast(pl.Schema(BIRTHS))

    def register_numbers_of(self, contacts: pl.Series) -> pl.Series:
        """Return the numbers of the register that contacts have, in their order."""
        return self._births.of(contacts, "national_number").to_series()

    def of(self, contacts: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return births and parents of contacts, in their order."""
        parents = self._parents.of(contacts)
        return self.births_of(contacts), parents.with_columns(parent=self._ids.texts(parents["parent"]))

    def add(self, first: int, rows: pl.DataFrame) -> None:
        """Add those of contacts, of which the first has this number."""
        self._births.add(first, rows.with_columns(_WITHIN))
        self._parents.add(first, rows.with_columns(parent=self._ids.packed(rows["parent"])))

    def renumber(self, numbers: pl.Series) -> None:
        """Give the contacts other numbers, by those that they had."""
        self._births.renumber(numbers)
        self._parents.renumber(numbers)

    def forget_births(self) -> None:
        """Forget when and under which number people were born."""
        self._births = Sparse(_KEPT_BIRTHS)
