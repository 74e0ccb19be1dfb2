"""Texts of an organisation's own, beside the fields of a kind (R-158, R-161)."""

from __future__ import annotations

import pytest

from connectors.dynamics.mapping.loader import examine_mapping, parse_mapping
from connectors.dynamics.mapping.mapping import Table, field_type
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from rules.model.kinds import ROW_KINDS, kind_of
from rules.model.personal_records import FullContact, FullDossier, FullFiche
from rules.model.records import Dossier, word_of
from rules.rights.fields import FIELDS, Nature, ShownTo, rules_of

REFERENCE = mapping_text(Settings())[0]


def with_lines(kind: str, lines: str) -> str:
    at = REFERENCE.index(f"\n  {kind}:\n") + len(f"\n  {kind}:\n")
    return f"{REFERENCE[:at]}    {lines}\n{REFERENCE[at:]}"


def test_they_are_read_for_a_request_alone_and_told_like_the_texts_of_their_kind() -> None:
    mapping = parse_mapping(with_lines("dossier", "texts: [cf_background]"), "m.yaml")
    (table,), kind = mapping.of("dossier"), mapping.kinds["dossier"]
    assert table.columns_of(Dossier).keys().isdisjoint({"cf_background"})
    assert table.columns_of(FullDossier)["cf_background"].name == "cf_background"
    assert field_type(kind.full, "cf_background") is str
    assert (kind.texts, word_of(kind.full)) == ((*ROW_KINDS["dossier"].texts, "cf_background"), "dossier")
    rules = rules_of(kind_of("dossier", kind.full()))
    assert (rules["cf_background"].shown, rules["cf_background"].nature) == (ShownTo.FILE, Nature.TEXT)
    assert {name: rule for name, rule in rules.items() if name != "cf_background"} == FIELDS["dossier"]
    of_person = parse_mapping(with_lines("contact", "texts: [cf_profile]"), "m.yaml").kinds["contact"]
    assert rules_of(of_person)["cf_profile"].shown is ShownTo.OWN
    assert issubclass(of_person.full, FullContact)


def test_each_table_of_a_kind_has_its_own() -> None:
    begin, end = (REFERENCE.index(f"\n  {kind}:\n") + 1 for kind in ("fiche", "party"))
    head, *body = REFERENCE[begin:end].splitlines()
    other = """
    - table: cf_call
      columns: {dossier: cf_dossierid, categories: cf_subject, communicated_on: cf_on, created_on: createdon}
      choices: {categories: {1: grooming}}
      texts: [cf_heard, cf_chat]
"""
    first = "\n".join([head, "    -", "      texts: [cf_chat]", *(f"  {line}" for line in body)])
    mapping = parse_mapping(REFERENCE[:begin] + first + other + REFERENCE[end:], "m.yaml")

    def texts(table: Table) -> list[str]:
        return [name for name, column in table.columns_of(FullFiche).items() if column.holds]

    assert {table.name: texts(table) for table in mapping.of("fiche")} == {"cf_fiche": ["cf_chat"], "cf_call": ["cf_heard", "cf_chat"]}
    assert mapping.kinds["fiche"].further == ("cf_chat", "cf_heard")
    assert all(issubclass(table.full, mapping.kinds["fiche"].full) for table in mapping.of("fiche"))


@pytest.mark.parametrize(
    ("kind", "lines", "told"),
    [
        ("dossier", "texts: [cf_a, cf_a]", "cf_a stands under texts already"),
        ("contact", "texts: [lastname]", "lastname stands under personal.last_name already"),
        ("party", "texts: [cf_role]", "cf_role stands under columns.role already"),
        (
            "dossier",
            "texts: [outcome_on]",
            "a field of dossier is called outcome_on too: fill that field from it, and name under texts what filled it",
        ),
        ("statistic", "texts: [cf_a]", "this is not known here: rows of statistic say nothing about anybody"),
        (
            "contact",
            "readable: [cf_profil]\n    texts: [cf_profile]",
            "contact.cf_profil stands under readable but has no column; did you mean cf_profile?",
        ),
        ("dossier", "text: [cf_a]", "this is not known here; did you mean texts?"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_line(kind: str, lines: str, told: str) -> None:
    mapping, problems = examine_mapping(with_lines(kind, lines), "m.yaml")
    (problem,) = problems
    line = with_lines(kind, lines).splitlines()[problem.line - 1]
    assert (problem.text, mapping is not None) == (told, True)
    assert line.strip() in {each.strip() for each in lines.splitlines()}


def test_one_that_the_crm_secures_may_be_named_as_readable() -> None:
    (table,) = parse_mapping(with_lines("contact", "readable: [cf_profile]\n    texts: [cf_profile]"), "m.yaml").of("contact")
    assert table.personal["cf_profile"].is_readable
