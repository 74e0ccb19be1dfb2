"""The stored pages are those that the models give."""

from pathlib import Path

import pytest

from rules.documents.policy_page import PARTS, TYPES
from rules.files.json_schema import descriptions
from rules.files.model import Model
from rules.policy.categories import CategoryBase
from rules.policy.loader import load_policy
from rules.policy.policy import Policy, PolicyFile
from rules.policy.rows import describe

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "rules" / "policy" / "schedules" / "childfocus.yaml"


@pytest.fixture(scope="module")
def shipped() -> Policy:
    return load_policy(SHIPPED.read_text(encoding="utf-8"), source=SHIPPED.name)


def test_every_key_is_described() -> None:
    models: list[type[Model]] = [PolicyFile, CategoryBase, *TYPES.values(), *(model for _, model in PARTS)]
    for model in models:
        for name, info in model.model_fields.items():
            assert info.description or descriptions(model).get(name) or name == "type", (model.__name__, name)


def test_every_type_of_row_is_in_the_page() -> None:
    assert set(TYPES.values()) == set(kinds())
    for name, kind in TYPES.items():
        assert name in str(kind.model_fields["type"].annotation)


def kinds() -> list[type[CategoryBase]]:
    found: list[type[CategoryBase]] = [CategoryBase]
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if "type" in kind.model_fields]


def test_the_table_shows_every_row_in_the_order_of_the_file(shipped: Policy) -> None:
    rows = describe(shipped)
    assert [row.key for row in rows] == list(shipped.categories)
    first = rows[0]
    assert first.label == "Out-of-remit contact"
    assert (first.period, first.anchor, first.disposition) == ("6 months", "last_activity", "delete")
    by_key = {row.key: row for row in rows}
    assert by_key["civil_party"].anchor == "proceedings_ended_on, else closed_on"
    assert by_key["missing_runaway"].period == "until 25"
    assert by_key["missing_unexplained"].disposition == "retain"
    assert by_key["donor_payment"].period == "until 31 December, 10 years on"
