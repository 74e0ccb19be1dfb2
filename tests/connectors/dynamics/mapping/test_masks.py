"""Rows masked in place, and mappings that would leave something on them refused (section 5.3,
ERA-06)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.dynamics.connector import DynamicsConnector, connect
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.mapping.mapping import REFERENCE
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from rules.anonymisation.anonymity import Remnant
from rules.errors import MappingError
from rules.model.records import Dossier, Fiche, Record
from tests.known_definitions import KNOWN

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

ENVIRONMENT = Path(__file__).parents[4] / "connectors/emulator/schema/environment.yaml"
TEXT = REFERENCE.read_text("utf-8")
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
CANARY = "Fictieve Lotte Kanarie"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
TEAM = "11111111-2222-4333-8444-555555555555"
DOSSIER_MASKS = TEXT.index("    anonymise:")

Change = Callable[[str], str]


def send(method: str, url: str, **options: Any) -> requests.Response:
    """One plain request, as somebody else than the product sends it."""
    return requests.request(method, url, **options | {"headers": {"Authorization": "Bearer t"} | options.get("headers", {})})


@contextmanager
def crm(tmp_path: Path, *more: str) -> Iterator[RunningEmulator]:
    """The reference environment with more columns on the dossier, each as the environment file has them."""
    text = ENVIRONMENT.read_text("utf-8")
    mark = "      cf_legalholdreason: {type: string(200), pii: true}\n"
    path = tmp_path / "environment.yaml"
    path.write_text(text.replace(mark, mark + "".join(f"      {line}\n" for line in more)), encoding="utf-8")
    with running(environment=path) as emulator, KNOWN.of(emulator, "t"):
        answer = send("POST", f"{emulator.url}teams", json={"teamid": TEAM, "name": "Geanonimiseerd"})
        assert answer.status_code == 204, answer.text
        yield emulator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """The reference environment as it is, for all whose rows are their own."""
    with crm(tmp_path_factory.mktemp("reference")) as emulator:
        yield emulator


def client(emulator: RunningEmulator, mapping: str = TEXT, **options: Any) -> DynamicsConnector:
    return connect(
        url=emulator.url,
        tokens=StaticToken("t", emulator.url),
        mapping_text=mapping,
        mapping_source="m.yaml",
        sleep=lambda _: None,
        **options,
    )


def named(*lines: str) -> str:
    """The reference mapping with more under the dossier's masked columns."""
    return TEXT.replace("        cf_legalholdreason: drop_text\n", "        cf_legalholdreason: drop_text\n" + "".join(lines), 1)


def kept(*columns: str) -> str:
    """The reference mapping with these columns of the dossier under keeps."""
    text = TEXT
    for column in columns:
        for technique in ("null", "drop_text"):
            text = text.replace(f"        {column}: {technique}\n", "", 1)
    return text.replace(
        "        cf_legalholdreason: drop_text\n", f"        cf_legalholdreason: drop_text\n      keeps: [{', '.join(columns)}]\n", 1
    )


def errors(emulator: RunningEmulator, mapping: str) -> list[str]:
    with client(emulator, mapping) as connector:
        return [f"{each.where}: {each.message}" for each in connector.check(in_place=True) if each.is_error]


def line_of(mapping: str, part: str) -> int:
    return mapping[: mapping.index(part)].count("\n") + 1


def a_dossier(emulator: RunningEmulator, **columns: Any) -> tuple[str, str]:
    """Id and version of a new dossier."""
    answer = send(
        "POST",
        f"{emulator.url}cf_dossiers",
        json={"cf_name": CANARY, "cf_categories": "100000030", "cf_outcome": 100000001, "cf_summary": CANARY} | columns,
        headers={"Prefer": "return=representation"},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["cf_dossierid"], answer.json()["@odata.etag"]


def masking(row: str, etag: str, record: type[Record] = Dossier, **results: object) -> Operation:
    return Operation(OperationKind.MASK, record, row, etag, {"anonymised_on": NOW, "is_common": False, **results})


def carried_out(connector: DynamicsConnector, *operations: Operation) -> ChangeStatus:
    (result,) = connector.change([ChangeSet("unit", operations)])
    return result.status


def shown(emulator: RunningEmulator, row: str, table: str = "cf_dossiers") -> dict[str, Any]:
    found: dict[str, Any] = send("GET", f"{emulator.url}{table}({row})").json()
    return found


# --- writing and reading back -------------------------------------------------------------------------------


def test_the_reference_mapping_masks_the_reference_environment(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        assert connector.check(in_place=True) == []
        assert connector.remnants(Dossier) == frozenset()


def test_a_masked_row_holds_constants_and_nothing_else(emulator: RunningEmulator) -> None:
    """R-081, R-082, ERA-06: the whole text is gone, a neutral team owns the row, and it is in no active
    view."""
    with client(emulator) as connector:
        row, etag = a_dossier(emulator, cf_courtreference=CANARY, cf_legalholdreason=CANARY, cf_openedon="2019-03-01T11:00:00Z")
        operation = masking(row, etag)
        assert connector.unmasked([operation]) == {row}
        assert carried_out(connector, operation) is ChangeStatus.DONE
        assert connector.unmasked([operation]) == set()
        after = shown(emulator, row)
    own = {name: value for name, value in after.items() if name.startswith(("cf_", "_cf_")) and value is not None}
    assert own == {"cf_dossierid": row, "cf_name": "Geanonimiseerd", "cf_anonymisedon": "2026-11-25T03:00:00Z"}
    assert (after["_ownerid_value"], after["_owningteam_value"], after["_owninguser_value"], after["statecode"]) == (TEAM, TEAM, None, 1)
    assert CANARY not in str(after)


def test_a_masked_fiche_loses_its_links(emulator: RunningEmulator) -> None:
    """5.2: also the link to its dossier, by which the communications of one person would stay together."""
    with client(emulator) as connector:
        dossier, _ = a_dossier(emulator)
        columns = {"cf_name": CANARY, "cf_summary": CANARY, "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})", "cf_channel": 100000000}
        answer = send("POST", f"{emulator.url}cf_fiches", json=columns, headers={"Prefer": "return=representation"}).json()
        operation = masking(answer["cf_ficheid"], answer["@odata.etag"], Fiche)
        assert carried_out(connector, operation) is ChangeStatus.DONE
        assert connector.unmasked([operation]) == set()
        after = shown(emulator, answer["cf_ficheid"], "cf_fiches")
    assert (after["_cf_dossierid_value"], after["cf_channel"], after["cf_summary"], after["cf_name"]) == (
        None,
        None,
        None,
        "Geanonimiseerd",
    )


def test_file_and_image_columns_are_emptied_in_the_same_change_set(tmp_path: Path) -> None:
    """R-081: no attachment remains, in a column neither."""
    with crm(tmp_path, "cf_scan: {type: file, pii: true}", "cf_photo: {type: image, pii: true}") as emulator:
        mapping = named("        cf_scan: null\n", "        cf_photo: null\n")
        with client(emulator, mapping) as connector:
            assert connector.check(in_place=True) == []
            row, _ = a_dossier(emulator, cf_photo=base64.b64encode(PIXEL).decode())
            upload = {"Content-Type": "application/octet-stream", "x-ms-file-name": "kanarie.txt"}
            assert send("PATCH", f"{emulator.url}cf_dossiers({row})/cf_scan", data=CANARY.encode(), headers=upload).status_code == 204
            operation = masking(row, shown(emulator, row)["@odata.etag"])
            assert connector.unmasked([operation]) == {row}
            assert carried_out(connector, operation) is ChangeStatus.DONE
            assert connector.unmasked([operation]) == set()
        assert send("GET", f"{emulator.url}cf_dossiers({row})/cf_scan/$value").status_code in (204, 404)
        assert send("GET", f"{emulator.url}cf_dossiers({row})/cf_photo/$value").status_code in (204, 404)


def test_a_row_that_changed_since_is_left_alone(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        row, etag = a_dossier(emulator)
        send("PATCH", f"{emulator.url}cf_dossiers({row})", json={"cf_summary": "Verzonnen."}, headers={"If-Match": "*"})
        assert carried_out(connector, masking(row, etag)) is ChangeStatus.CHANGED
        assert shown(emulator, row)["cf_name"] == CANARY


def test_masks_happen_with_the_rest_of_their_change_set_or_not_at_all(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        (row, etag), (other, _) = a_dossier(emulator), a_dossier(emulator)
        stale = Operation(OperationKind.DELETE, Dossier, other, 'W/"1"')
        assert carried_out(connector, masking(row, etag), stale) is ChangeStatus.CHANGED
        assert shown(emulator, row)["cf_name"] == CANARY


@pytest.mark.parametrize("column", ["cf_summary", "cf_courtreference"])
def test_reading_back_sees_what_came_back(emulator: RunningEmulator, column: str) -> None:
    """ERA-15: what somebody writes into an anonymised row is found."""
    with client(emulator) as connector:
        row, etag = a_dossier(emulator)
        operation = masking(row, etag)
        carried_out(connector, operation)
        send("PATCH", f"{emulator.url}cf_dossiers({row})", json={column: CANARY}, headers={"If-Match": "*"})
        assert connector.unmasked([operation]) == {row}


def test_a_row_that_is_gone_shows_nothing(emulator: RunningEmulator) -> None:
    with client(emulator) as connector:
        row, etag = a_dossier(emulator)
        send("DELETE", f"{emulator.url}cf_dossiers({row})")
        assert connector.unmasked([masking(row, etag)]) == set()


def test_what_is_kept_goes_too_where_too_few_share_it(emulator: RunningEmulator) -> None:
    """ERA-08."""
    with client(emulator, kept("cf_categories", "cf_outcome")) as connector:
        (rare, one), (common, two) = a_dossier(emulator), a_dossier(emulator)
        operations = [masking(rare, one), masking(common, two, is_common=True)]
        assert carried_out(connector, *operations) is ChangeStatus.DONE
        assert connector.unmasked(operations) == set()
        assert (shown(emulator, rare)["cf_categories"], shown(emulator, rare)["cf_outcome"]) == (None, None)
        assert (shown(emulator, common)["cf_categories"], shown(emulator, common)["cf_outcome"]) == ("100000030", 100000001)


def test_bands_are_written_where_the_mapping_has_room_for_them(tmp_path: Path) -> None:
    """5.3: year, age band and province, and nothing where the caller has none."""
    columns = ("cf_year: {type: int}", "cf_band: {type: string(10)}", "cf_place: {type: string(40)}")
    mapping = named("        cf_year: date_to_year\n", "        cf_band: age_band\n", "        cf_place: postcode_to_province\n")
    with crm(tmp_path, *columns) as emulator, client(emulator, mapping) as connector:
        assert connector.check(in_place=True) == []
        row, etag = a_dossier(emulator)
        operation = masking(row, etag, is_common=True, year=2019, age_band="15-17", province="Antwerp")
        assert carried_out(connector, operation) is ChangeStatus.DONE
        assert connector.unmasked([operation]) == set()
        after = shown(emulator, row)
    assert (after["cf_year"], after["cf_band"], after["cf_place"]) == (2019, "15-17", "Antwerp")


def test_pseudonyms_of_two_connections_have_nothing_in_common(emulator: RunningEmulator) -> None:
    """ERA-05: the key of a run dies with it, so the same row never gets the same pseudonym again; with a kept
    key it does (R-090)."""
    mapping = TEXT.replace("        cf_name: constant\n", "        cf_name: hmac\n", 1)
    names: list[str] = []
    row, _ = a_dossier(emulator)
    for key in (None, None, bytes(32), bytes(32)):
        with client(emulator, mapping, pseudonym_key=key) as connector:
            assert connector.check(in_place=True) == []
            operation = masking(row, shown(emulator, row)["@odata.etag"])
            assert carried_out(connector, operation) is ChangeStatus.DONE
            assert connector.unmasked([operation]) == set()
        names.append(shown(emulator, row)["cf_name"])
    assert len(set(names[:3])) == 3
    assert names[2] == names[3]
    assert row not in str(names)


def test_the_team_may_be_named_by_its_id(emulator: RunningEmulator) -> None:
    with client(emulator, TEXT.replace("owner: Geanonimiseerd", f"owner: {TEAM}")) as connector:
        assert connector.check(in_place=True) == []
        row, etag = a_dossier(emulator)
        assert carried_out(connector, masking(row, etag)) is ChangeStatus.DONE
        assert shown(emulator, row)["_ownerid_value"] == TEAM


# --- what is refused before anything is written -------------------------------------------------------------


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


# --- the file alone -----------------------------------------------------------------------------------------


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
