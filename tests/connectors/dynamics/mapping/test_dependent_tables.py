"""The section of a mapping that names tables of the organisation's own (R-158, R-161)."""

from datetime import date

import pytest

from connectors.dynamics.mapping.loader import examine_mapping, parse_mapping
from connectors.dynamics.mapping.mapping import field_type
from rules.model.kinds import Kinds, kind_of
from rules.model.records import KINDS, Dependent
from rules.rights.fields import Nature, ShownTo, rules_of
from tests.integration.dependent import dependent_mapping


def mistakes(section: str) -> list[str]:
    return [problem.text for problem in examine_mapping(dependent_mapping(section), "m.yaml")[1]]


def test_each_table_is_a_kind_behind_those_it_belongs_to() -> None:
    mapping = parse_mapping(dependent_mapping(), "m.yaml")
    words = [kind.word for kind in mapping.kinds.own]
    assert words.index("cf_homevisit") < words.index("cf_paragraph") < words.index("cf_remark")
    assert set(words) == {"cf_homevisit", "cf_paragraph", "cf_remark", "cf_assessment", "task", "cf_theme", "cf_measure"}
    assert mapping.kinds.depth == 3
    assert Kinds().depth == 0
    assert list(mapping.kinds.links)[-1] == "contact"


def test_its_record_has_its_columns_and_says_what_they_hold() -> None:
    table = parse_mapping(dependent_mapping(), "m.yaml").of("cf_homevisit")[0]
    assert table.record is KINDS["cf_homevisit"]
    assert issubclass(table.full, table.record)
    assert issubclass(table.record, Dependent)
    assert [field_type(table.full, name) for name in ("cf_report", "cf_visitedon", "cf_hours", "cf_urgent")] == [str, date, float, bool]
    rules = rules_of(kind_of("cf_homevisit", table.full()))
    assert {name: (rule.shown, rule.nature) for name, rule in rules.items()} == {
        "cf_name": (ShownTo.FILE, Nature.TEXT),
        "cf_report": (ShownTo.FILE, Nature.TEXT),
        "cf_visitedon": (ShownTo.FILE, Nature.DATE),
        "cf_hours": (ShownTo.FILE, Nature.NUMBER),
        "cf_steps": (ShownTo.FILE, Nature.NUMBER),
        "cf_urgent": (ShownTo.FILE, Nature.CHOICE),
        "cf_result": (ShownTo.FILE, Nature.CHOICE),
        "cf_visitedid": (ShownTo.NEVER, Nature.INTERNAL),
    }


def test_two_mappings_may_call_different_columns_of_the_same_table_theirs() -> None:
    first = parse_mapping(dependent_mapping(), "m.yaml").of("cf_homevisit")[0]
    other = parse_mapping(dependent_mapping("dependent: {cf_homevisit: {belongs_to: {cf_dossierid: dossier}, texts: [cf_name]}}"), "o.yaml")
    assert other.of("cf_homevisit")[0].full.__struct_fields__ != first.full.__struct_fields__
    assert other.of("cf_homevisit")[0].record is first.record


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("cf_dossier: {belongs_to: {cf_x: contact}}", "cf_dossier is the table of dossier already"),
        ("email: {belongs_to: {cf_x: contact}}", "email is the table of email already"),
        ("fiche: {belongs_to: {cf_x: contact}}", "fiche is a kind of row that the product knows: map it under tables"),
        (
            "cf_a: {belongs_to: {}}",
            "name a lookup under belongs_to, one table of links under tied_by, or what points to the rows under behind",
        ),
        (
            "cf_a: {belongs_to: {cf_x: contact}, behind: {fiche: cf_aid}}",
            "rows belong to others by lookups or links of their own, or to what points to them, not by both",
        ),
        ("cf_a: {behind: {fich: cf_aid}}", "fich is neither a kind of row that is mapped nor a table under dependent; did you mean fiche?"),
        ("cf_a: {behind: {cf_a: cf_aid}}", "the rows of cf_a belong to rows of dependent tables in a circle, and to nothing else"),
        (
            "cf_a: {belongs_to: {cf_x: contact}, tied_by: {cf_y: dossier}}",
            "rows belong to others by lookups or by a table of links, not by both",
        ),
        (
            "cf_a: {belongs_to: {cf_a: contact, cf_b: contact, cf_c: fiche, cf_d: fiche, cf_e: dossier}}",
            "rows belong to others by 4 lookups at most: who is only named in them stands under people",
        ),
        (
            "cf_a: {belongs_to: {cf_x: dosier}}",
            "dosier is neither a kind of row that is mapped nor a table under dependent; did you mean dossier?",
        ),
        ("cf_a: {belongs_to: {cf_x: cf_a}}", "the rows of cf_a belong to rows of dependent tables in a circle, and to nothing else"),
        ("cf_a: {belongs_to: {cf_x: dossier}, texts: [cf_t], files: [cf_t]}", "cf_t stands under texts already"),
        ("cf_a: {belongs_to: {cf_x: dossier}, texts: [regarding]}", "regarding is a word of the product: it cannot be told"),
        ("cf_a: {belongs_to: {cf_x: dossier}, readable: [cf_text]}", "cf_text stands under readable and nowhere else"),
        (
            "cf_a: {belongs_to: {cf_x: dossier}, files: [cf_f], masked: {}}",
            "files cannot be overwritten: rows of cf_a go with what they belong to",
        ),
        (
            "cf_a: {belongs_to: {cf_x: dossier}, texts: [cf_t], masked: {keeps: [cf_t]}}",
            "cf_t is not a date, number, choice or yes and no of this table",
        ),
        ("cf_a: {belongs_to: {cf_x: dossier}, text: [cf_t]}", "this is not known here; did you mean texts?"),
        (
            "cf_a: {belongs_to: {cf_x: dossier}, dates: [cf_when], term: {row: visits, date: cf_wen}}",
            "cf_wen does not stand under dates; did you mean cf_when?",
        ),
        (
            "cf_a: {belongs_to: {cf_x: dossier}, dates: [cf_when], masked: {}, term: {row: visits, date: cf_when}}",
            "rows with a term of their own are not masked: they stay until it ends, and are deleted then",
        ),
        (
            "cf_a: {behind: {dossier: cf_x}, dates: [cf_when], term: {row: visits, date: cf_when}}",
            "rows with a term of their own belong to something by a lookup, which is emptied where that goes first",
        ),
        (
            "cf_a: {tied_by: {cf_x: dossier}, dates: [cf_when], term: {row: visits, date: cf_when}}",
            "rows with a term of their own belong to something by a lookup, which is emptied where that goes first",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_line(section: str, told: str) -> None:
    assert told in mistakes(f"dependent:\n  {section}")


def test_a_mistake_elsewhere_is_told_beside_the_tables() -> None:
    """A mapping with mistakes is compared with the CRM all the same."""
    mapping, problems = examine_mapping(dependent_mapping("dependent: {cf_a: {belongs_to: {cf_x: dosier}}}"), "m.yaml")
    assert problems
    assert mapping is not None


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("  fiche:\n", "  fische:\n", "tables.fische: this is not known here; did you mean fiche?"),
        ("table: cf_fiche", "table: Fiche", "tables.fiche.table: this has to be a logical name of the CRM, in lower case"),
    ],
)
def test_a_mistake_in_a_main_table_is_not_told_again_by_each_that_belongs_to_it(right: str, wrong: str, told: str) -> None:
    more = "dependent:\n  cf_a: {belongs_to: {cf_x: fiche}}\n  cf_b: {belongs_to: {cf_x: fiche, cf_y: fich}}\n"
    text = dependent_mapping(more)
    assert right in text
    _, problems = examine_mapping(text.replace(right, wrong, 1), "m.yaml")
    last = "fich is neither a kind of row that is mapped nor a table under dependent; did you mean fiche?"
    assert list(map(str, problems)) == [told, f"dependent.cf_b.belongs_to.cf_y: {last}"]
