"""A CRM in which cases alone have a category: communications go by those of their case (RET-14, R-161)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.mapping.explain import explain_row
from crm_compliance.wiring.mapping import mapping_text
from jobs.holds.place import without_categories as without_own
from jobs.plans.questions.explain import explain_unit
from jobs.requests.search.roles_and_files import files_of
from jobs.requests.search.search import search_everywhere
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.holding import place
from tests.drivers.night import Night, night_in
from tests.jobs.requests.answer.answers import Answer

LONG_AGO = date(2020, 1, 10)


def without_categories() -> str:
    """The reference mapping, with cases alone that have a category."""
    before, after = mapping_text(Settings())[0].split("\n  fiche:\n")
    for line in ("      categories: cf_categories\n", "      categories: *categories\n", "        cf_categories: null\n"):
        assert line in after
        after = after.replace(line, "", 1)
    return f"{before}\n  fiche:\n    without: [categories]\n{after}"


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with night_in(ENVIRONMENT, tmp_path, kind=Night, mapping=without_categories()) as made:
        yield made


def test_a_fiche_goes_by_the_categories_of_its_dossier(night: Night) -> None:
    ends, grown_up = night.dossier("social_card", spoken=LONG_AGO, fiches=2), night.dossier("sexting", spoken=LONG_AGO)
    night.party(night.contact(birthdate="2000-02-01"), "child", dossier=grown_up)
    nothing = night.dossier("social_card", spoken=LONG_AGO, cf_categories=None)
    alone = night.fiche("social_card", spoken=LONG_AGO)  # what the CRM has there is not read
    held = night.dossier("e_safety", spoken=LONG_AGO)
    place(night, "cf_dossier", where=("category=e_safety",))
    plan = night.plan()
    lines = night.lines(plan)
    assert {row: (lines[row].outcome, lines[row].reason, lines[row].categories) for row in (ends, grown_up, nothing, alone, held)} == {
        ends: ("dispose", "EXPIRED", ("social_card",)),
        grown_up: ("dispose", "EXPIRED", ("exploitation_ict",)),
        nothing: ("retain", "UNCONFIGURED", ()),
        alone: ("retain", "UNCONFIGURED", ()),
        held: ("retain", "HOLD_JUDICIAL", ("e_safety",)),
    }
    (fiche, _) = night.fiches_of(ends)
    line, steps = explain_unit(night.context, "cf_fiche", fiche)
    assert (line.id, line.outcome) == (ends, "dispose")
    assert [step.inputs["category"] for step in steps if step.rule == "RET-12"] == ["social_card"]
    assert "categories" not in {field.field for field in explain_row(night.connector, "cf_fiche", fiche).fields}
    night.apply(plan)
    assert (night.get("cf_dossiers", ends), night.get("cf_fiches", fiche), night.get("cf_dossiers", grown_up)) == (None, None, None)
    assert night.get("cf_fiches", alone) is not None


def test_a_hold_on_fiches_of_a_category_goes_by_that_of_their_dossier_and_keeps_in_doubt(night: Night) -> None:
    held, other = night.dossier("e_safety", spoken=LONG_AGO), night.dossier("social_card", spoken=LONG_AGO)
    alone = night.fiche("social_card", spoken=LONG_AGO)
    assert without_own(night.connector, place(night, "cf_fiche", where=("category=e_safety",))) == ("cf_fiche",)
    lines = night.lines(night.plan())
    assert {row: lines[row].reason for row in (held, other)} == {held: "HOLD_JUDICIAL", other: "EXPIRED"}
    assert "HOLD_JUDICIAL" in (lines[alone].reason, *lines[alone].reasons)


def test_of_a_dossier_its_own_categories_limit_what_is_told(night: Night) -> None:
    """RGT-09: what stands for those of a fiche is none, and told to nobody."""
    child = night.contact(birthdate="2002-02-01", lastname="Verstraeten (fictief)")
    for category in ("social_card", "runaway"):
        night.party(child, "child", dossier=night.dossier(category, spoken=LONG_AGO))
    found = files_of(search_everywhere(night.context, (child,)))
    assert sorted(facts.categories for facts in found.values()) == [("runaway",), ("social_card",)]
    told = [{field.name: field.value for field in item.fields} for item in Answer(night, child).compile().items if item.kind == "fiche"]
    assert [(fields["number"], fields.get("categories")) for fields in told] == [("F-test", None)] * 2
