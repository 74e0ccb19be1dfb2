"""Mappings that would leave something on a masked row are refused, by line, before anything is written
(section 5.3, ERA-06)."""

from pathlib import Path

import pytest

from connectors.dynamics.mapping.loader import parse_mapping
from connectors.emulator.serving.server import RunningEmulator, running
from rules.anonymisation.anonymity import Remnant
from rules.errors import MappingError
from rules.model.records import Dossier, Fiche
from tests.connectors.dynamics.mapping.masked import (
    ENVIRONMENT,
    TEXT,
    Change,
    client,
    crm,
    errors,
    kept,
    line_of,
    named,
    send,
)

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes
UNNAMED = (
    "cf_nickname: {type: string(50)}",
    "cf_story: {type: memo(2000)}",
    "cf_scan: {type: file}",
    "cf_photo: {type: image}",
    "cf_seenon: {type: date}",
    "cf_school: {type: lookup account}",
    "cf_shoesize: {type: int}",
)


@pytest.fixture(scope="module")
def about_unnamed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is told where a dossier has all of these columns."""
    with crm(tmp_path_factory.mktemp("unnamed"), *UNNAMED) as emulator, client(emulator) as connector:
        assert [each for each in connector.check() if each.is_error] == []  # nobody is asked who extracts and deletes
        return errors(emulator, TEXT)


@pytest.mark.parametrize("column", UNNAMED)
def test_a_column_that_nobody_named_could_hold_personal_data(about_unnamed: list[str], column: str) -> None:
    place, name = f"m.yaml:{line_of(TEXT, '    anonymise:')}", column.split(":")[0]
    told = f"{place}: cf_dossier.{name} could hold personal data: give it a technique, or list it under keeps."
    assert about_unnamed.count(told) == 1
    assert len(about_unnamed) == len(UNNAMED)


UNFIT = {
    "cf_required: {type: memo(2000), required: true}": ("drop_text", "leaves the column empty, and the CRM requires a value"),
    "cf_short: {type: string(5)}": ("constant", "constant needs 14 characters, and the column holds 5"),
    "cf_number: {type: int}": ("constant", "constant does not fit a column of type int"),
    "cf_unique: {type: string(40), alternate_key: cf_unique_key}": ("constant", "gives the same value to several rows"),
    "cf_memo: {type: memo(2000)}": ("hmac", "hmac does not fit a column of type memo"),
    "cf_text: {type: string(40)}": ("hmac", "hmac needs 64 characters, and the column holds 40"),
}


UNFIT_LINES = {column: f"        {column.split(':')[0]}: {technique}\n" for column, (technique, _) in UNFIT.items()}


@pytest.fixture(scope="module")
def about_unfit(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is told of a mapping that masks all of these columns so."""
    with crm(tmp_path_factory.mktemp("unfit"), *UNFIT) as emulator:
        return errors(emulator, named(*UNFIT_LINES.values()))


@pytest.mark.parametrize("column", UNFIT)
def test_a_technique_that_does_not_fit_its_column_is_refused(about_unfit: list[str], column: str) -> None:
    """By file and line, before the first write (5.3)."""
    place = f"m.yaml:{line_of(named(*UNFIT_LINES.values()), UNFIT_LINES[column])}"
    (error,) = [each for each in about_unfit if each.startswith(f"{place}: cf_dossier.{column.split(':')[0]} cannot be masked")]
    assert UNFIT[column][1] in error
    assert len(about_unfit) == len(UNFIT)


def test_a_unique_and_required_name_can_only_take_a_pseudonym(tmp_path: Path) -> None:
    with crm(tmp_path, "cf_x: {type: string(100), required: true, alternate_key: cf_x_key}") as emulator:
        assert errors(emulator, named("        cf_x: hmac\n")) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("        cf_summary: drop_text\n", "        cf_summery: drop_text\n", 1), "has no column cf_summery"),
        (
            lambda text: text.replace("        cf_name: constant\n", "        cf_name: constant\n        createdon: null\n", 1),
            "platform's own",
        ),
        (lambda text: text.replace("      state: 1\n", "      state: 7\n", 1), "cf_dossier.statecode has no option 7"),
        (lambda text: text.replace("      state: 1\n", "      state: 1\n      status: 9\n", 1), "cf_dossier.statuscode has no option 9"),
        (lambda text: text.replace("owner: Geanonimiseerd", "owner: Niemand"), "no team of the name or id"),
    ],
)
def test_what_the_crm_has_not_is_refused(emulator: RunningEmulator, change: Change, why: str) -> None:
    found = errors(emulator, change(TEXT))
    assert any(why in error for error in found), found


def test_two_teams_of_one_name_are_refused(tmp_path: Path) -> None:
    with crm(tmp_path) as emulator:
        send("POST", f"{emulator.url}teams", json={"name": "Geanonimiseerd"})
        assert any("2 teams" in error for error in errors(emulator, TEXT))


def test_a_mapping_without_masks_cannot_anonymise_in_place(emulator: RunningEmulator) -> None:
    start, end = TEXT.index("    anonymise:"), TEXT.index("  fiche:\n")
    (error,) = errors(emulator, TEXT[:start] + "\n" + TEXT[end:])
    assert "dossier has no section anonymise" in error


def test_an_activity_cannot_be_masked(emulator: RunningEmulator) -> None:
    """ERA-02, R-081: who takes part in it stays on it, by name and address."""
    masks = "subject: constant, description: drop_text, phonenumber: drop_text, directioncode: null, actualend: null"
    call = f"""
    - table: phonecall
      columns: {{dossier: regardingobjectid, categories: statuscode, communicated_on: actualend, created_on: createdon,
                anonymised_on: scheduledend}}
      choices: {{categories: {{1: runaway}}}}
      anonymise: {{owner: Geanonimiseerd, state: 1, columns: {{{masks}, regardingobjectid: null}}}}
"""
    start, end = TEXT.index("  fiche:\n") + len("  fiche:\n"), TEXT.index("  party:\n")
    fiche = "    -\n" + "".join(f"  {line}\n" if line else "\n" for line in TEXT[start:end].splitlines())
    calls = TEXT.index("  call:\n")
    text = TEXT[:start] + fiche.rstrip() + call + TEXT[end:calls] + TEXT[TEXT.index("  email:\n") :]
    assert any("phonecall is an activity, and who takes part in it would stay" in each for each in errors(emulator, text))


def test_a_required_column_cannot_stay(emulator: RunningEmulator) -> None:
    """It could not be emptied where too few people share it (ERA-08)."""
    text = TEXT.replace("        cf_name: constant\n", "", 1).replace(
        "      columns:\n        cf_openedon", "      keeps: [cf_name]\n      columns:\n        cf_openedon", 1
    )
    assert any("cf_dossier.cf_name is required" in error for error in errors(emulator, text))


@pytest.mark.parametrize(
    ("column", "remnant"),
    [
        ("cf_summary", Remnant.TEXT),
        ("cf_courtreference", Remnant.TEXT),
        ("cf_openedon", Remnant.IDENTIFIER),
        ("cf_scan", Remnant.FILE),
        ("cf_person", Remnant.CONTACT),
    ],
)
def test_what_stays_and_could_name_somebody_is_told(tmp_path: Path, column: str, remnant: Remnant) -> None:
    """ERA-02: the controller may keep it, and it is then no anonymisation."""
    extra = ("cf_scan: {type: file}", "cf_person: {type: lookup contact}")
    rest = {"cf_scan": "        cf_scan: null\n", "cf_person": "        cf_person: null\n"}
    rest.pop(column, None)
    text = kept(column).replace("        cf_name: constant\n", "        cf_name: constant\n" + "".join(rest.values()), 1)
    with crm(tmp_path, *extra) as emulator, client(emulator, text) as connector:
        findings = connector.check(in_place=True)
        told = [each.message for each in findings if not each.is_error]
        if column != "cf_scan":  # a file cannot be written by the row's own address
            assert [each for each in findings if each.is_error] == []
            assert told == [f"cf_dossier.{column} stays, so its rows are reported PSEUDONYMISED ({remnant}; ERA-02)."]
        assert connector.remnants(Dossier) == {remnant}
        assert connector.remnants(Fiche) == frozenset()


def test_a_category_that_stays_beside_createdon_is_told(emulator: RunningEmulator) -> None:
    """5.3: never month and day together with category, and nobody can empty createdon."""
    with client(emulator, kept("cf_categories")) as connector:
        (warning,) = connector.check(in_place=True)
    assert not warning.is_error
    assert "cf_dossier.cf_categories stays beside createdon" in warning.message


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("cf_summary: drop_text", "cf_summary: strip_names", 1), "must be one of null, constant, drop_text"),
        (
            lambda text: text.replace("cf_summary: drop_text", "cf_summary: delete_child_rows", 1),
            "must be one of null, constant, drop_text",
        ),
        (lambda text: text.replace("cf_summary: drop_text", "cf_summary:", 1), "must be one of"),
        (lambda text: text.replace("      owner: Geanonimiseerd\n", "", 1), "owner"),
        (lambda text: text.replace("      state: 1\n", "      state: weg\n", 1), "an option value, a whole number"),
        (lambda text: text.replace("      state: 1\n", "      state: 1\n      keeps: [cf_outcome]\n", 1), "cf_outcome stands here twice"),
        (
            lambda text: text.replace("        cf_name: constant\n", "        cf_name: constant\n        cf_anonymisedon: null\n", 1),
            "since when",
        ),
        (lambda text: text.replace("      anonymised_on: cf_anonymisedon\n", "", 1), "needs a column for anonymised_on"),
    ],
)
def test_a_section_with_a_mistake_is_refused_by_line(change: Change, why: str) -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(change(TEXT), "m.yaml")
    assert why in str(refused.value)
    assert refused.value.where.startswith("m.yaml:")


def test_only_dossiers_and_fiches_are_masked() -> None:
    with pytest.raises(MappingError, match="anonymise: this is not known here"):
        parse_mapping(TEXT.replace("    table: cf_party\n", "    table: cf_party\n    anonymise: {}\n"), "m.yaml")


def test_a_case_is_cancelled_since_no_update_resolves_it(tmp_path: Path) -> None:
    """The CRM resolves a case by CloseIncident, which leaves a row with the resolution behind."""
    path = tmp_path / "environment.yaml"
    path.write_text(ENVIRONMENT.read_text("utf-8").replace("cf_dossier", "incident"), encoding="utf-8")
    mapping = TEXT.replace("cf_dossier", "incident")
    with running(environment=path) as emulator:
        (told,) = [each for each in errors(emulator, mapping) if "CloseIncident" in each]
        assert told.startswith(f"m.yaml:{line_of(mapping, '      state: 1')}: ")
        assert "write state: 2" in told
        cancelled = errors(emulator, mapping.replace("      state: 1\n", "      state: 2\n", 1))
        assert not any("CloseIncident" in each for each in cancelled)
