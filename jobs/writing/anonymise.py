"""Anonymises in place where the schedule says so, and states of every anonymisation whether it is one
(ERA-02, ERA-06, R-090).

In place, the rows of a dossier and its fiches, or of a lone fiche, stay under their ids and are masked as the
mapping says. All that belongs to them is deleted as it is otherwise (R-081). What the mapping keeps stays
only where the statistics written by earlier runs already hold enough rows of the same combination: neither
the order of a run nor a unit that is skipped at the last moment can change that (decision 0011)."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from connectors.interface.remains import RowKey
from jobs.model.run import Action, Mask, RowWrite
from jobs.ports.context import JobContext
from jobs.reading.out_of_reach import LONG_TERM
from jobs.writing.deletion_order import Rows
from jobs.writing.read_back import masked_rows
from jobs.writing.statistics import facts_of_journal, written_rows
from rules.anonymisation.anonymity import Anonymity, Conditions, Remnant, anonymity, are_backups_out_of_use, is_history_gone
from rules.anonymisation.k_anonymity import combination_of, count_rows
from rules.anonymisation.statistics import Combination
from rules.model.decisions import Decision, Disposition
from rules.model.records import Unit, UnitKind
from rules.model.residual_data import ResidualPlace

MASKED = (UnitKind.DOSSIER.value, UnitKind.FICHE.value)  # kinds of rows that may stay


class InPlace:
    """Turns the deletes of units that are anonymised into masks, for one run."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._written: Counter[Combination] | None = None

    def mask(self, going: Sequence[tuple[Unit, Decision]], rows: Rows, facts: Mapping[str, dict[str, object]]) -> None:
        """Change the writes of those units in `rows`; nothing where the schedule extracts and deletes
        (ERA-03)."""
        if not self._context.policy.anonymise.is_in_place:
            return
        at = self._context.clock().astimezone(UTC).isoformat(timespec="seconds")
        for unit, decision in going:
            if decision.disposition is Disposition.ANONYMISE and unit.id in rows.of:
                mask = self._mask(at, facts.get(unit.id))
                rows.of[unit.id] = [_masked(write, mask) for write in rows.of[unit.id]]
                if any(write.mask is not None and write.retained for write in rows.of[unit.id]):
                    rows.blocked[unit.id] = LONG_TERM  # no write reaches it

    def _mask(self, at: str, statistic: dict[str, object] | None) -> Mask:
        policy = self._context.policy
        facts = facts_of_journal(statistic) if statistic is not None else None
        bare = Mask(at, keeps_key=policy.anonymise.keeps_key)
        if facts is None or not facts.individual:
            return bare
        if self._written is None:
            self._written = count_rows(written_rows(self._context.connector))
        # This unit's own row comes on top, whatever becomes of the others of this run.
        if self._written[combination_of(facts)] + 1 < policy.k_of(facts.category):
            return bare
        return msgspec.structs.replace(bare, is_common=True, year=facts.year, age_band=facts.age_band, province=facts.province)


def _masked(write: RowWrite, mask: Mask) -> RowWrite:
    if write.kind not in MASKED or write.operation != "delete":
        return write
    return msgspec.structs.replace(write, operation="mask", mask=mask)


def anonymity_codes(context: JobContext, units: Sequence[tuple[Action, Mapping[str, str]]]) -> list[str]:
    """Return for each unit PSEUDONYMISED where it was anonymised and could still be traced to a person, else
    empty (ERA-02). To be called once the units' rows are written and their places are cleaned, each with what
    was found there."""
    connector = context.connector
    masked = {row for action, _ in units for row in masked_rows(connector, action)}
    tied = connector.tied_to_people(sorted(masked)) if masked else set[RowKey]()
    return [_anonymity_code(context, action, places, tied) for action, places in units]


def _anonymity_code(context: JobContext, action: Action, places: Mapping[str, str], tied: Collection[RowKey]) -> str:
    if action.disposition != Disposition.ANONYMISE.value:
        return ""
    verdict = anonymity(conditions_of(context, action, places, tied))
    return verdict.value if verdict is Anonymity.PSEUDONYMISED else ""


def conditions_of(context: JobContext, action: Action, places: Mapping[str, str], tied: Collection[RowKey]) -> Conditions:
    """Return what is known of one anonymised unit. A deleted row leaves nothing. On a masked one what the
    mapping keeps remains, and whoever leads to it, one of `tied`, is not named by it but names it."""
    policy, today = context.policy, context.today
    removed_on = context.day(datetime.fromisoformat(action.removed_at)) if action.removed_at else today
    masks = {write.record(context.connector): write.mask for write in action.rows if write.mask is not None}
    left = {remnant for record, mask in masks.items() if mask.is_common for remnant in context.connector.remnants(record)}
    return Conditions(
        no_direct_identifier=Remnant.IDENTIFIER not in left,
        no_free_text=Remnant.TEXT not in left,
        no_file=Remnant.FILE not in left,
        no_audit_history=is_history_gone(places.get(ResidualPlace.AUDIT_HISTORY)),
        no_link_to_contact=Remnant.CONTACT not in left and not any(row in tied for row in masked_rows(context.connector, action)),
        no_reversing_key=not policy.anonymise.keeps_key and not any(mask.keeps_key for mask in masks.values()),
        # By construction: statistics drop a combination that is too rare, and a mask empties it.
        small_cell_passed=True,
        backups_out_of_use=are_backups_out_of_use(policy.backups, removed_on=removed_on, day=today),
    )
