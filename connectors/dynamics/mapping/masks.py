"""How an organisation wants its rows anonymised in place: which column gets what, which stay, and whose the
row is afterwards. Whether the CRM can do it, `schema/checks/masks.py` says. Source: section 5.3, ERA-06."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MaskedColumn:
    """One column, by its logical name, and the technique that overwrites it."""

    name: str
    technique: str
    where: str


@dataclass(frozen=True, slots=True)
class Masks:
    """The section of one table. `keeps` are columns that stay, each with its place in the file; `owner` is
    the id or the name of a team; `state` and `status` are the values of statecode and statuscode that take
    the row out of the views of those who work on cases."""

    where: str
    columns: dict[str, MaskedColumn]
    keeps: dict[str, str]
    owner: str
    owner_where: str
    state: int
    status: int | None
    state_where: str
