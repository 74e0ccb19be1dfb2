"""What the jobs ask of the CRM's administrator grows with what the schedule has in force, and with nothing
else."""

from importlib.resources import files

import pytest

from connectors.interface.changes import OperationKind
from jobs.model.privileges import NEEDS, needs_under
from rules.model.records import Dossier, Fiche, Note, Record
from rules.policy.loader import load_policy

SHIPPED = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "added"),
    [
        ("", {}),
        ("quarantine:\n  days: 14\n", {}),
        ("quarantine:\n  days: 14\n  notice: note\n", {Note: {OperationKind.CREATE}}),
        ("anonymise:\n  how: in_place\n", {Dossier: {OperationKind.MASK}, Fiche: {OperationKind.MASK}}),
    ],
)
def test_masking_and_notes_are_asked_for_only_where_the_schedule_wants_them(
    more: str, added: dict[type[Record], set[OperationKind]]
) -> None:
    """ERA-03."""
    needs = needs_under(load_policy(SHIPPED + more, source="test.yaml"))
    assert {record: needs[record] - NEEDS.get(record, frozenset()) for record in needs if needs[record] != NEEDS.get(record)} == added
    assert all(NEEDS[record] <= needs[record] for record in NEEDS)
