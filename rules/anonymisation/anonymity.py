"""Whether what is left of a person after an anonymisation is anonymous, or can be led back to the person by
somebody (ERA-01, ERA-02). Pure. One condition that is not met, or not known to be met, is enough: then the
unit is pseudonymised and the retention duty stands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from rules.model.residual_data import PlaceState

if TYPE_CHECKING:
    from rules.policy.policy import Backups


class Anonymity(StrEnum):
    """What a unit is reported as."""

    ANONYMISED = "ANONYMISED"
    PSEUDONYMISED = "PSEUDONYMISED"


class Remnant(StrEnum):
    """What masking a row leaves on it where the mapping lets columns stay."""

    IDENTIFIER = "identifier"  # an exact day is one beside a category (5.3)
    TEXT = "text"
    FILE = "file"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions of ERA-02, in its order; True is met."""

    no_direct_identifier: bool
    no_free_text: bool
    no_file: bool
    no_audit_history: bool
    no_link_to_contact: bool
    no_reversing_key: bool
    small_cell_passed: bool
    backups_out_of_use: bool

    @property
    def unmet(self) -> tuple[str, ...]:
        """The names of those that are not met."""
        return tuple(each.name for each in fields(self) if not getattr(self, each.name))


def anonymity(conditions: Conditions) -> Anonymity:
    """Return what a unit may be reported as: anonymised only if every condition is met (ERA-02, R-090)."""
    return Anonymity.PSEUDONYMISED if conditions.unmet else Anonymity.ANONYMISED


def is_history_gone(state: str | None) -> bool:
    """Return whether no old values remain in the audit history. A history that nobody could look into may
    hold them."""
    return state in (PlaceState.DONE, PlaceState.NOT_APPLICABLE)


def are_backups_out_of_use(backups: Backups, *, removed_on: date, day: date) -> bool:
    """Return whether backups from before the disposal are declared beyond use, or have rotated out by `day`
    (ERA-02, ERA-13). A backup of the day of the disposal may be older than it, so it is waited for too."""
    return backups.beyond_use or day > removed_on + timedelta(days=backups.days)
