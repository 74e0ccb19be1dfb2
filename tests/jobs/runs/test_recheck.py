"""The last look at a unit before it is disposed of (RET-17)."""

from datetime import date

import msgspec
import pytest

from jobs.model.plan import PlanLine
from jobs.runs.recheck import matches
from rules.holds.holds import Holds
from rules.model.decisions import Disposition
from tests.rules.builders import a_dossier, a_fiche, decided

UNIT = a_dossier(a_fiche("social_card", communicated_on=date(2020, 1, 1)))
DECISION = decided(UNIT, date(2026, 1, 1), holds=Holds.none())
LINE = PlanLine(
    "cf_dossier",
    UNIT.row.id,
    "dispose",
    DECISION.disposition.value,
    str(DECISION.retention_end),
    DECISION.reason.value,
    tuple(DECISION.reasons),
    (),
    DECISION.categories,
    DECISION.rule,
    "1.0",
    UNIT.row.etag,
)


def test_what_was_planned_is_what_is_found() -> None:
    assert DECISION.is_disposal
    assert matches(LINE, UNIT, DECISION)


@pytest.mark.parametrize(
    "planned",
    [
        {"etag": "another"},
        {"disposition": Disposition.ANONYMISE.value},
        {"disposition": None},
        {"retention_end": "2025-01-02"},
        {"retention_end": None},
        {"categories": ("runaway",)},
    ],
    ids=str,
)
def test_a_unit_that_differs_in_one_respect_is_another_one(planned: dict[str, object]) -> None:
    assert not matches(msgspec.structs.replace(LINE, **planned), UNIT, DECISION)
