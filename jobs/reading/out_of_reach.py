"""Which units with rows in long-term retention no run may dispose of: they stay as a whole, and every plan
names them (P34).

A row there is removed by a job of the CRM and in no other way. It cannot be masked, no link of it can be
emptied, and the content that a recording there has outside the CRM would be lost from sight. Source: the
reference, section 6.4; RET-03, RET-20, R-081."""

from collections.abc import Iterable
from datetime import date

from connectors.interface.connector import Connector
from connectors.interface.remains import ResidualKind
from connectors.interface.rows import Among
from jobs.reading.long_term import retained_rows_of
from jobs.reading.units import Gathering
from rules.holds.holds import Holds
from rules.law.of_units import decisions
from rules.model.decisions import Decision, Disposition, Flag
from rules.model.records import Record, Unit, UnitKind
from rules.policy.policy import Policy

LONG_TERM = Flag.LONG_TERM_RETENTION.value  # the code of units that stay for it
IN_BIN = "IN_RECYCLE_BIN"  # it was deleted, and whoever may can restore it


def lie_elsewhere(connector: Connector, record: type[Record], ids: Iterable[str]) -> dict[str, str]:
    """Return those of these rows, none of them live, that are not gone, each with the code of where it lies.
    A recycle bin into which the account may not look counts as empty: to wait for it would be for ever.
    Raises ConnectorError: where rows lie cannot be read."""
    among = Among("id", sorted({*ids}))
    there = retained_rows_of(connector, record, (), among) if among.ids and connector.retaining((record,)) else []
    binned = connector.binned_or_retained(ResidualKind.BIN, record, (), among).rows if among.ids else ()
    return {row.id: IN_BIN for row in binned} | {row.id: LONG_TERM for row in there}


class OutOfReach:
    """Finds such units among what was read, by one version of the schedule on one day."""

    def __init__(self, connector: Connector, found: Gathering, policy: Policy, holds: Holds, as_of: date) -> None:
        self._connector, self._found, self._policy = connector, found, policy
        self._may_purge: bool | None = None
        there = [unit for unit in found.recordings.values() if unit.id in found.retained]
        asked = [unit.recording for unit in there if unit.recording is not None and (unit.fiches or unit.belongs_to)]
        may_go = may_go_there(there, policy, holds, as_of) if asked else ()
        self._keeping = {owner for row in asked if row.id not in may_go for owner in (row.fiche, row.dossier)}

    def keeps(self, unit: Unit, decision: Decision) -> bool:
        """Return whether a unit that is due has to stay, because of the part of it that is there."""
        recording = unit.recording if unit.id in self._found.retained else None
        if recording is not None and recording.storage_uri:
            return True
        if unit.kind in (UnitKind.DOSSIER, UnitKind.FICHE) and not self._keeping.isdisjoint([unit.id, *(row.id for row in unit.fiches)]):
            return True
        if not self._found.lies_in_retention(unit):
            return False
        if unit.id in self._found.bound or self._would_be_masked(unit, decision):
            return True
        if self._may_purge is None:
            self._may_purge = self._connector.may_purge_retained()
        return not self._may_purge

    def _would_be_masked(self, unit: Unit, decision: Decision) -> bool:
        """Return whether a row that is there would have to be anonymised in place. Roles and notes are
        deleted all the same."""
        is_masked = self._policy.anonymise.is_in_place and decision.disposition is Disposition.ANONYMISE
        return is_masked and not self._found.retained.isdisjoint([unit.id, *(fiche.id for fiche in unit.fiches)])


def may_go_there(recordings: Iterable[Unit], policy: Policy, holds: Holds, as_of: date) -> set[str]:
    """Return which of these recordings, which are there, may be deleted with their fiche: those that may go
    with it and to which no object outside the CRM belongs."""
    asked = [unit for unit in recordings if unit.recording is not None and not unit.recording.storage_uri]
    return may_go_along(asked, policy, holds, as_of)


def may_go_along(recordings: Iterable[Unit], policy: Policy, holds: Holds, as_of: date) -> set[str]:
    """Return which of these recordings may be deleted with their fiche: those whose own period has ended, and
    those that follow their dossier and are not held themselves (RET-03)."""
    asked = list(recordings)
    going = {unit.id for unit in asked if follows(unit) and not holds.covering(unit)}
    own = [unit for unit in asked if unit.id not in going]
    ended = decisions(own, policy, holds, as_of)
    return going | {unit.id for unit, decision in zip(own, ended, strict=True) if decision.is_disposal}


def follows(recording: Unit) -> bool:
    """Return whether a recording follows its dossier on the evidence mark (RET-05)."""
    marked = recording.recording is not None and bool(recording.recording.evidence)
    return marked and recording.belongs_to is not None
