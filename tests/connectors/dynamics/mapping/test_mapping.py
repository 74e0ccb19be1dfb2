"""The mapping file: refused with every mistake by line."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dynamics.mapping.field_texts import FIELD_TEXTS
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import (
    IN_EITHER,
    MANY,
    MUST_BE_CHOICE,
    OPTIONAL_KINDS,
    REFERENCE,
    REQUIRED_FIELDS,
    SAFEGUARDS,
    choice_keys,
    field_type,
    mappable_fields,
)
from rules.errors import MappingError
from rules.model.kinds import FILES
from rules.model.personal_records import FULL, personal_fields
from rules.model.records import KINDS, Dossier
from tests.connectors.dynamics.mapping.edited_mappings import TEXT, edited, line_of, mistakes
from tests.yaml_files import read_yaml, yaml_text

SCHEMA = json.loads(REFERENCE.with_name("schema.json").read_text("utf-8"))
SECOND = Path(__file__).parents[3] / "data" / "second-mapping.yaml"


def test_the_shipped_mapping_maps_every_field_of_every_record() -> None:
    mapping = parse_mapping(REFERENCE.read_text(encoding="utf-8"), REFERENCE.name)
    assert {table.kind for table in mapping.tables} == set(KINDS)
    for kind, record in KINDS.items():
        missing = set(mappable_fields(record)) - set(mapping.of(kind)[0].columns)
        assert missing == {"note": {"evidence"}, "enrolment": {"kind"}, "recording": {"dossier"}}.get(kind, set())  # not in the reference
        assert set(mapping.of(kind)[0].personal) == set(personal_fields(kind))
    assert mapping.recording_media_types == ("audio/*",)


def test_the_tables_of_a_record_are_found_also_for_the_classes_of_pages() -> None:
    mapping = parse_mapping(REFERENCE.read_text(encoding="utf-8"), REFERENCE.name)

    class Page(Dossier):
        pass

    assert mapping.table(Page) is mapping.of("dossier")[0]
    assert [table.kind for table in mapping.named("annotation")] == ["note"]
    assert mapping.named("task") == ()


def part_of(kind: str) -> dict[str, Any]:
    """One table of a kind, as the schema has it."""
    found = SCHEMA["properties"]["tables"]["properties"][kind]
    part: dict[str, Any] = found if "properties" in found else SCHEMA["$defs"][kind]
    return part


def test_the_schema_for_editors_says_what_the_loader_says() -> None:
    tables = SCHEMA["properties"]["tables"]
    assert set(tables["properties"]) == set(KINDS)
    assert set(tables["required"]) == set(KINDS) - OPTIONAL_KINDS
    for kind, record in KINDS.items():
        parts = part_of(kind)["properties"]
        assert tuple(parts["columns"]["properties"]) == mappable_fields(record)
        flagged = set(parts.get("flags", {"properties": {}})["properties"])  # these may have several columns instead
        elsewhere = {*MANY.get(kind, ()), *(FILES if kind in IN_EITHER else ())}  # not from a column of this table, or of one of both
        assert set(parts["columns"].get("required", ())) == REQUIRED_FIELDS[kind] - flagged - elsewhere
        assert flagged == {name for name in mappable_fields(record) if name in MUST_BE_CHOICE.get(kind, ())}
        assert tuple(parts.get("personal", {"properties": {}})["properties"]) == personal_fields(kind)
        full = FULL[kind]
        named = (*mappable_fields(record), *personal_fields(kind))
        dates = {name for name in named if field_type(full, name) in (date, datetime)}
        assert set(parts.get("behaviour", {"properties": {}})["properties"]) == dates


def test_the_kind_that_lacks_conditions_is_named_where_rows_of_a_part_may_stay() -> None:
    """A lookup of the case that is a role is another look at the same rows."""
    role = "  party:\n    - {table: cf_dossier, columns: {dossier: cf_dossierid, contact: cf_childid}, fixed: {role: child}}\n"
    begin, rest = TEXT.replace("    table: cf_dossier\n", "    table: cf_dossier\n    only: {cf_kind: [1]}\n", 1).split("  party:\n", 1)
    text = begin + role + rest[rest.index("\n\n") + 1 :]
    assert parse_mapping(text, "mine.yaml").of("party")
    stays = text.replace("copies: []\n", "copies: []\nstay: {cf_dossier: {why: complaints, by: DPO}}\n", 1)
    assert [told.partition("; ")[2] for told in mistakes(stays)] == [
        "where those are meant that meet no condition, name it under only of party too"
    ]
    parse_mapping(stays.replace("cf_childid}, fixed", "cf_childid}, only: {cf_kind: [1]}, fixed", 1), "mine.yaml")


@pytest.mark.parametrize("path", [REFERENCE, SECOND])
def test_the_shipped_files_satisfy_the_schema(path: Path) -> None:
    content: Any = read_yaml(path)
    as_json = json.loads(json.dumps(content))  # option values become texts, as editors see them
    jsonschema.Draft202012Validator(SCHEMA).validate(as_json)


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("schema: crm-mapping/1", "schema: crm-mapping/9", "crm-mapping/9", "schema: this has to be crm-mapping/1"),
        ("    table: cf_dossier\n", "    table: CF Dossier\n", "CF Dossier", "logical name"),
        ("    table: cf_dossier\n", "    table: cf_dossier\n    readable: [hold]\n", "readable: [hold]", "has no column"),
        ("      outcome: cf_outcome\n", "      result: cf_outcome\n", "      result:", "is not known here"),
        ("      outcome: cf_outcome\n", "      outcome:\n", "      outcome:", "logical name"),
        ("      legal_hold: cf_legalhold\n", "      legal_hold: cf_legalhold\n      legal_hold: x\n", "legal_hold: x", "twice"),
        ("        100000000: not_located\n", "        abc: not_located\n", "abc: not", "whole number"),
        ("        100000000: not_located\n", "        100000000: Niet gevonden\n", "Niet gevonden", "a key"),
        ("        1: inactive\n", "        1: closed\n", "1: closed", "yes or no"),
        ('["audio/*"]', '["audio"]', 'types: ["audio"]', "media type"),
        ('["audio/*"]', "audio/*", "types: audio", "list"),
        ("copies: []\n", "copies: [cloud]\n", "copies: [cloud]", "one of search_index"),
        ("copies: []\n", "copies: []\nstay: [cf-review]\n", "stay: [cf-review]", "table.column"),
        ("    table: cf_fiche\n", "    table: cf_dossier\n", "  fiche:", "same table"),
        ("      birth_on: birthdate\n", "      birth_on: birthdate\n      suspect: cf_issuspect\n", "suspect: cf", "R-112"),
        ("      gender: gendercode\n", "      gender: cf_verdachte\n", "cf_verdachte", "R-112"),
        ("      birth_on: birthdate\n", "      birth_on: birthdate\n      role: rol\n", "role: rol", "R-112"),
        (
            "      court_reference: cf_courtreference\n",
            "      court_reference: cf_name\n",
            "court_reference: cf_name",
            "dossier.number and dossier.court",
        ),
        ("      last_name: lastname\n", "      last_name: firstname\n", "last_name: firstname", "contact.first_name and contact.last_name"),
        (
            "      closed_on: cf_closedon\n",
            "      closed_on: cf_openedon\n",
            "closed_on: cf_openedon",
            "dossier.opened_on and dossier.closed_on",
        ),
        (
            "      ended_at: cf_endedon\n",
            "      ended_at: cf_startedon\n",
            "ended_at: cf_startedon",
            "recording.started_on and recording.ended_at",
        ),
        (
            "      deceased_on: cf_deceasedon\n",
            "      deceased_on: birthdate\n",
            "deceased_on: birthdate",
            "contact.birth_on and contact.deceased_on",
        ),
        (
            "      legal_hold: cf_legalhold\n",
            "      legal_hold: cf_publicalert\n",
            "legal_hold: cf_public",
            "dossier.public_alert and dossier.legal",
        ),
        (
            "      fiche: cf_ficheid\n      role",
            "      fiche: cf_dossierid\n      role",
            "fiche: cf_dossierid",
            "party.dossier and party.fiche",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, place: str, words: str) -> None:
    text = edited(old, new)
    found = mistakes(text)
    assert any(line.startswith(f"mine.yaml:{line_of(text, place)}: ") and words in line for line in found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      communicated_on: cf_communicatedon\n", "      communicated_on: createdon\n"),
        ("      opened_on: cf_openedon\n", "      opened_on: createdon\n"),
        ("      outcome_on: cf_outcomeon\n", "      outcome_on: cf_closedon\n"),
    ],
)
def test_one_column_may_hold_two_days(old: str, new: str) -> None:
    """Such as `createdon`, where an organisation records no other day; a status may stand for two choices."""
    assert parse_mapping(edited(old, new), "mine.yaml").tables


def test_every_mistake_is_told_at_once() -> None:
    text = edited("      outcome: cf_outcome\n", "      uitkomst: cf_outcome\n").replace(
        "  party:\n    table: cf_party", "  party:\n    table: 7"
    )
    assert len(mistakes(text)) >= 3


@pytest.mark.parametrize("text", ["", "[]", "a: [", "schema: crm-mapping/1", "\tx", "&a [*a]", "tables: {dossier: 1}", "{[a]: 1}"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert mistakes(text)


@given(st.text(max_size=80))
def test_any_text_is_a_mapping_or_refused(text: str) -> None:
    with pytest.raises(MappingError):
        parse_mapping(text, "mine.yaml")


def test_a_table_that_every_organisation_has_may_not_be_left_out() -> None:
    with pytest.raises(MappingError, match=r"tables: party is missing"):
        parse_mapping(edited("  party:\n    table: cf_party\n", "  call2:\n    table: cf_party\n"), "mine.yaml")


def test_a_behaviour_is_for_dates_only() -> None:
    text = edited("    table: cf_dossier\n", "    table: cf_dossier\n    behaviour:\n      outcome: date_only\n      opened_on: weekly\n")
    found = mistakes(text)
    assert any("outcome is not a date" in line for line in found)
    assert any("one of date_only, user_local" in line for line in found)


def test_a_choice_without_column_or_for_a_lookup_is_refused() -> None:
    text = edited("      contact: cf_contactid\n", "      contact: cf_contactid\n    choices:\n      dossier: {1: x}\n")
    assert mistakes(text)
    text = edited("      outcome: cf_outcome\n", "")
    assert any("has no column" in line for line in mistakes(text))


def test_categories_without_options_are_refused() -> None:
    assert any("needs its option values" in line for line in mistakes(edited("      categories: *categories\n", "")))


def test_what_a_fiche_can_say_the_statistics_must_be_able_to_hold() -> None:
    text = TEXT.replace("      reporter_kind: *reporter_kind\n", "      reporter_kind: {100000000: child, 100000001: parent}\n")
    found = mistakes(text)
    assert len(found) == 2
    assert "statistic.reporter_kind has no option for other" in found[0]


CHOSEN = {"categories": "      categories: *categories\n"}  # options of a field, which stand for nothing without a column


@pytest.mark.parametrize("kind", sorted(SAFEGUARDS))
def test_a_field_whose_absence_hides_something_is_mapped_or_disowned(kind: str) -> None:
    """A hold flag that nobody mapped would keep nothing, and nobody would know."""
    text = REFERENCE.read_text("utf-8")
    for name in SAFEGUARDS[kind]:
        line = next(line for line in text.split(f"  {kind}:\n")[1].splitlines() if line.strip().startswith(f"{name}:"))
        before, after = text.split(f"  {kind}:\n")
        lacking = f"  {kind}:\n".join((before, after.replace(line + "\n", "", 1).replace(CHOSEN.get(name, ""), "", 1)))
        with pytest.raises(MappingError, match=f"{name} is missing: map it, or name it under without"):
            parse_mapping(lacking, "m.yaml")
        disowned = lacking.replace(f"  {kind}:\n", f"  {kind}:\n    without: [{name}]\n", 1)
        assert name not in parse_mapping(disowned, "m.yaml").of(kind)[0].columns


def test_only_safeguards_are_disowned() -> None:
    text = REFERENCE.read_text("utf-8").replace("  dossier:\n", "  dossier:\n    without: [outcome]\n", 1)
    with pytest.raises(MappingError, match=r"dossier\.outcome needs no word"):
        parse_mapping(text, "m.yaml")


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        (": suspect\n", ": suspct\n", "did you mean suspect?"),
        (": suspect\n", ": suspects\n", "did you mean suspect?"),
        (": child\n", ": kind\n", ""),
        (": phone\n", ": fone\n", ""),
        (": not_located\n", ": not_locatd\n", "did you mean not_located?"),
        (": professional\n", ": profesional\n", "did you mean professional?"),
    ],
)
def test_a_key_that_no_rule_reads_is_refused_with_what_was_meant(old: str, new: str, meant: str) -> None:
    """`suspct` would close no file to a suspect (SUS-02), `kind` would leave a child without a birth date."""
    text = edited(old, new)
    told = mistakes(text)
    assert told[0].startswith(f"mine.yaml:{line_of(text, new.strip())}: ")
    assert "use one of" in told[0]
    assert told[0].endswith(meant or ", or leave the option out")


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("      outcome: cf_outcome\n", "      outcom: cf_outcome\n", "did you mean outcome?"),
        ("  fiche:\n", "  fische:\n", "did you mean fiche?"),
        ("    choices:\n", "    choises:\n", "did you mean choices?"),
        ("recording_media_types:", "recording-media-type:", "did you mean recording_media_types?"),
    ],
)
def test_a_misspelt_name_is_refused_with_what_was_meant(old: str, new: str, meant: str) -> None:
    assert any("is not known here" in line and line.endswith(meant) for line in mistakes(edited(old, new)))


def test_the_schema_has_the_keys_that_the_rules_read() -> None:
    for kind, record in KINDS.items():
        for field, definition in part_of(kind)["properties"].get("choices", {"properties": {}})["properties"].items():
            keys = choice_keys(record, field)
            named = SCHEMA["$defs"][definition["$ref"].rpartition("/")[2]]["additionalProperties"]
            assert keys is None or named == {"enum": list(keys)}, (kind, field)


def test_what_the_organisation_calls_its_own_has_keys_of_its_own() -> None:
    keys = {field for record in KINDS.values() for field in mappable_fields(record) if choice_keys(record, field) is None}
    assert {"categories", "kind"} <= keys


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_says_what_it_decides_and_what_its_absence_costs(kind: str) -> None:
    assert set(FIELD_TEXTS[kind]) == {*mappable_fields(KINDS[kind]), *personal_fields(kind)}
    for name, text in FIELD_TEXTS[kind].items():
        assert text.decides
        assert text.cost or name in REQUIRED_FIELDS[kind] or name not in mappable_fields(KINDS[kind])


TWO_TABLES = """
  fiche:
    - table: cf_fiche
      columns: &fiche {dossier: cf_dossierid, categories: cf_categories, communicated_on: cf_on, created_on: createdon}
      choices: &keys {categories: {1: runaway}}
    - table: cf_chat
      only: {cf_kind: [1, 2], cf_open: ["true"]}
      columns: *fiche
      choices: *keys
"""


def two_tables(old: str = "", new: str = "") -> str:
    """The shipped mapping with fiches from two tables, one edit made."""
    document = read_yaml(REFERENCE)
    tables = document.pop("tables")
    del tables["fiche"], tables["dossier"]["anonymise"]
    return yaml_text(document | {"tables": tables}) + TWO_TABLES.replace(old, new, 1).lstrip("\n")


def test_a_kind_may_come_from_several_tables() -> None:
    mapping = parse_mapping(two_tables(), "m.yaml")
    one, other = mapping.of("fiche")
    assert (one.name, other.name) == ("cf_fiche", "cf_chat")
    assert [(each.column, each.values) for each in other.only] == [("cf_kind", ("1", "2")), ("cf_open", ("true",))]
    assert (one.record.table, other.record.table, other.full.table) == ("cf_fiche", "cf_chat", "cf_chat")
    assert issubclass(other.full, FULL["fiche"])
    assert mapping.tables_of(KINDS["fiche"]) == (one, other)
    assert mapping.table(other.record) is other
    with pytest.raises(ValueError, match="several tables"):
        mapping.table(KINDS["fiche"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("table: cf_chat", "table: cf_fiche", "fiche and fiche are mapped to the same table cf_fiche; tell their rows"),
        ("only: {", "onyl: {", "tables.fiche[1].onyl: this is not known here; did you mean only?"),
        ("cf_kind: [1, 2]", "cf_kind: 1", "tables.fiche[1].only.cf_kind: this has to be a list"),
        ("      choices: *keys\n", "", "tables.fiche[1].columns.categories: fiche.categories needs its option values"),
        ("{1: runaway}", "{x: runaway}", "tables.fiche[0].choices.categories.x: an option value is a whole number"),
    ],
)
def test_a_mistake_in_one_of_several_tables_has_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(two_tables(old, new), "m.yaml")
    assert told in str(caught.value)


def test_a_contact_comes_from_one_table() -> None:
    text = edited("    table: contact\n", "    table: contact\n    only: {statecode: [0]}\n")
    with pytest.raises(MappingError, match="rows of contact come from one table, whole"):
        parse_mapping(text, "m.yaml")
