"""Keys that come from a table of reference or from columns of yes and no instead of a choice, read by the
real client from an emulator (R-161)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.bulk_delete.hold_guard import Guard, guard_of
from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.dynamics.reading.column_steps import flags
from connectors.emulator.serving.server import running
from connectors.interface.changes import ChangeSet, ChangeStatus, Operation, OperationKind
from connectors.interface.errors import Forbidden
from crm_compliance.mapping.explain import explain_row
from jobs.model.privileges import NEEDS
from rules.errors import MappingError
from rules.model.personal_records import FullContact, FullDossier
from rules.model.records import Dossier, Fiche, Party
from tests.connectors.dynamics.reading.roles_in_columns import CHILD, SUSPECT, TABLES, connected, mapping
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.connectors.emulator.client import Client
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes


def environment(folder: Path) -> Path:
    document: dict[str, Any] = read_yaml(ENVIRONMENT)
    more: dict[str, Any] = read_yaml(TABLES)
    document["tables"] |= more["tables"]
    for table, columns in more["columns"].items():
        document["tables"][table]["columns"] |= columns
    path = folder / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[tuple[Client, DynamicsConnector]]:
    with running(environment=environment(tmp_path)) as emulator, KNOWN.of(emulator, "any"):
        client, connector = Client(emulator), connected(emulator)
        yield client, connector
        connector.close()
        client.http.close()


def test_a_category_is_told_by_a_column_of_the_table_of_reference(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    assert [finding for finding in connector.check() if finding.is_error] == []
    rows = {code: client.create("cf_subjects", cf_name=f"{code} (fictief)", cf_code=code) for code in ("SEX", "WEG", "NEW")}
    made = {client.dossier(**{"cf_SubjectId@odata.bind": f"/cf_subjects({row})"}): code for code, row in rows.items()}
    made[client.dossier()] = ""
    found = {made[row.id]: row.categories for page in connector.read(Dossier, ("categories",)) for row in page}
    assert found == {"SEX": ("sexting",), "WEG": ("runaway",), "NEW": (rows["NEW"],), "": ()}  # a new one is not a key of the schedule
    full = {made[row.id]: row.categories for page in connector.read(FullDossier, ("categories", "number")) for row in page}
    assert full == found
    assert connector.unsearched_columns() == ()


def test_a_role_is_told_by_the_row_of_reference_itself(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    client.emulator.load([("cf_rolekind", {"cf_rolekindid": row, "cf_name": "r"}) for row in (CHILD, SUSPECT, str(uuid.UUID(int=3)))])
    fiche = client.fiche()
    for number in (1, 2, 3):
        bound = {"cf_RoleKindId@odata.bind": f"/cf_rolekinds({uuid.UUID(int=number)})", "cf_FicheId@odata.bind": f"/cf_fiches({fiche})"}
        client.create("cf_parties", cf_name="p", **bound)
    roles = sorted(row.role or "" for page in connector.read(Party, ("role", "fiche")) for row in page)
    assert roles == [str(uuid.UUID(int=3)), "child", "suspect"]  # a role that nobody knows may be a child's


def test_yes_and_no_stand_for_categories_all_and_for_a_channel_the_first(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    both = client.fiche(cf_issexting=True, cf_isrunaway=True, cf_byphone=True, cf_bychat=True)
    one = client.fiche(cf_isrunaway=True, cf_bychat=True, cf_byphone=False)
    none = client.fiche(cf_issexting=False)
    found = {row.id: (row.categories, row.channel) for page in connector.read(Fiche, ("categories", "channel")) for row in page}
    assert found == {both: (("sexting", "runaway"), "phone"), one: (("runaway",), "chat"), none: ((), None)}


def test_a_table_of_reference_that_may_not_be_read_stops_the_read(crm: tuple[Client, DynamicsConnector]) -> None:
    """A read that fails is never an empty result: every unit would look as if it had no category."""
    client, connector = crm
    needed = connector.least_role(NEEDS)
    assert "prvReadcf_subject" in {line.name for line in needed}
    user = connector.whoami()
    role = {line.name: line.depth for line in needed if line.name != "prvReadcf_subject"}
    client.control("PUT", "privileges", {"user": user, "set": role})
    with pytest.raises(Forbidden, match="cf_subject"):
        list(connector.read(Dossier, ("categories",)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["dossier"]["references"]["categories"].update(by="cf_cod"), "did you mean cf_code"),
        (lambda t: t["dossier"]["columns"].update(categories="cf_name"), "lookup to one table"),
        (lambda t: t["fiche"]["flags"]["categories"].update(cf_name="grooming"), "is yes or no"),
        (lambda t: t["fiche"]["flags"]["categories"].update(cf_isrunawy="runaway"), "did you mean cf_isrunaway"),
    ],
)
def test_what_does_not_fit_the_crm_is_told(crm: tuple[Client, DynamicsConnector], change: Callable[[Any], None], words: str) -> None:
    client, _ = crm
    other = connected(client.emulator, mapping(change))
    (error,) = [finding for finding in other.check() if finding.is_error]
    assert words in error.message
    assert error.where.startswith("test.yaml:")
    other.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["party"]["references"]["role"]["keys"].update({CHILD: "chld"}), "did you mean child"),
        (lambda t: t["fiche"]["flags"]["channel"].update(cf_byphone="phon"), "did you mean phone"),
        (lambda t: t["fiche"]["columns"].update(channel="cf_channel"), "filled in two ways"),
        (lambda t: t["dossier"]["choices"].update(categories={1: "sexting"}), "filled in two ways"),
        (lambda t: t["fiche"].update(references={"summary": {"keys": {"a": "b"}}}), "this is not known here"),
        (lambda t: t["dossier"].pop("references"), "choices, or references"),
    ],
)
def test_what_does_not_fit_together_is_told_by_line(change: Callable[[Any], None], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        parse_mapping(mapping(change), "mine.yaml")


def told_by_yes_and_no(tables: Any) -> None:
    """Columns of yes and no instead of a status and choices: one that says the opposite of its field too."""
    dossier, fiche, party, contact = (tables[kind] for kind in ("dossier", "fiche", "party", "contact"))
    dossier["columns"] |= {"is_active": "cf_publicalert", "public_alert": "cf_legalhold"}
    del dossier["columns"]["legal_hold"]
    dossier["without"] = ["legal_hold"]
    dossier["choices"] |= {"is_active": {"true": "inactive", "false": "active"}, "public_alert": {"true": "yes", "false": "no"}}
    del fiche["flags"]
    fiche["columns"] |= {"categories": "cf_issexting", "channel": "cf_byphone"}
    fiche["choices"] |= {"categories": {"true": "sexting"}, "channel": {"true": "phone", "false": "chat"}}
    fiche["more"] = {"categories": ["cf_isrunaway"]}
    del party["references"]
    party["columns"]["role"] = "cf_ischild"
    party["choices"] = {"role": {"true": "child"}}
    contact["personal"]["no_bulk_email"] = "donotbulkemail"
    contact["choices"]["no_bulk_email"] = {"true": "no", "false": "yes"}


def test_a_column_of_yes_and_no_may_stand_for_any_key(crm: tuple[Client, DynamicsConnector]) -> None:
    client, _ = crm
    other = connected(client.emulator, mapping(told_by_yes_and_no))
    assert [finding for finding in other.check() if finding.is_error] == []
    lacking = {finding.message for finding in other.check()}
    assert "cf_party.cf_ischild has an option false, for which party.role has no key: it counts as a child of unknown age." in lacking
    closed, open_, unsaid = (client.dossier(cf_publicalert=value) for value in (True, False, None))
    dossiers = {row.id: row.is_active for page in other.read(Dossier, ("is_active",)) for row in page}
    assert dossiers == {closed: False, open_: True, unsaid: None}
    fiches = {
        client.fiche(cf_issexting=True, cf_isrunaway=True, cf_byphone=True): (("sexting",), "phone"),
        client.fiche(cf_issexting=False, cf_byphone=False): (("0",), "chat"),  # no key of the schedule: its units are kept
        client.fiche(cf_issexting=None, cf_isrunaway=None, cf_byphone=None): ((), None),
    }
    assert {row.id: (row.categories, row.channel) for page in other.read(Fiche, ("categories", "channel")) for row in page} == fiches
    bound = {"cf_FicheId@odata.bind": f"/cf_fiches({next(iter(fiches))})"}
    parties = {client.create("cf_parties", cf_name="p", cf_ischild=value, **bound): role for value, role in ((True, "child"), (False, "0"))}
    assert {row.id: row.role for page in other.read(Party, ("role", "fiche")) for row in page} == parties
    told = {row: next(each for each in explain_row(other, "cf_party", row).fields if each.field == "role") for row in parties}
    assert {parties[row]: (each.value, each.unknown) for row, each in told.items()} == {"child": ("child", None), "0": (None, False)}
    other.close()


def test_an_option_that_stands_for_nothing_holds_a_dossier(crm: tuple[Client, DynamicsConnector]) -> None:
    """HLD-14: it may be another kind of hold, one that was made later or that is no longer in the list."""
    client, _ = crm

    def held_by_a_choice(tables: Any) -> None:
        tables["dossier"]["columns"]["legal_hold"] = "cf_outcome"
        for part in ("columns", "choices"):
            tables["dossier"][part].pop("outcome", None)
        tables["dossier"]["choices"] |= {"legal_hold": {100000000: "no", 100000001: "yes"}}

    other = connected(client.emulator, mapping(held_by_a_choice))
    lacking = {finding.message for finding in other.check()}
    assert any("100000002 (" in told and "dossier.legal_hold has no key: it counts as yes" in told for told in lacking)
    expected: dict[str, bool | None] = {
        client.dossier(cf_outcome=value): held for value, held in ((100000000, False), (100000001, True), (100000002, True))
    }
    empty = client.dossier()
    client.emulator.load([("cf_dossier", {"cf_dossierid": (gone := str(uuid.UUID(int=77))), "cf_name": "D", "cf_outcome": 555})])
    expected |= {empty: None, gone: True}
    assert {row.id: row.legal_hold for page in other.read(Dossier, ("legal_hold",)) for row in page} == expected
    told = next(each for each in explain_row(other, "cf_dossier", gone).fields if each.field == "legal_hold")
    assert (told.value, told.unknown) == (None, 555)
    other.close()


def test_yes_and_no_are_written_as_they_are_read(crm: tuple[Client, DynamicsConnector]) -> None:
    client, _ = crm
    other = connected(client.emulator, mapping(told_by_yes_and_no))
    person = client.create("contacts", firstname="Fictieve", donotbulkemail=False)
    (row,) = [row for page in other.read(FullContact, ("no_bulk_email",)) for row in page]
    assert row.no_bulk_email is True
    change = Operation(OperationKind.UPDATE, FullContact, person, row.etag, {"no_bulk_email": False})
    (result,) = other.change([ChangeSet("unit", (change,))])
    assert result.status is ChangeStatus.DONE
    assert client.row(f"contacts({person})")["donotbulkemail"] is True
    other.close()


def test_a_hold_of_yes_and_no_guards_the_job_that_deletes(crm: tuple[Client, DynamicsConnector]) -> None:
    """HLD-07: told by options or plainly, it is the same condition."""
    _, connector = crm

    def guard(change: Callable[[Any], None]) -> Guard | None:
        made = parse_mapping(mapping(change), "mine.yaml")
        (recording,) = made.of("recording")
        definitions = {name: connector._metadata.table(name) for name in ("cf_recording", "cf_fiche", "cf_dossier")}
        return guard_of(recording, made, lambda table: definitions[table.name])  # type: ignore[arg-type, return-value]

    plain = guard(lambda tables: None)
    assert plain is not None
    assert plain.filters
    assert guard(lambda t: t["dossier"]["choices"].update(legal_hold={"true": "yes", "false": "no"})) == plain
    assert guard(lambda t: t["dossier"]["choices"].update(legal_hold={"true": "no", "false": "yes"})) != plain
    assert guard(lambda t: t["recording"]["columns"].update(dossier="cf_other")) is None  # a second way to a dossier
    assert guard(lambda t: t["dossier"].update(more={"legal_hold": ["cf_publicalert"]})) is None  # its query asks for one column


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"true": "active", 0: "inactive"}, "by numbers or by true and false, not by both"),
        ({"yes": "active"}, "of a column of yes and no true or false"),
        ({"true": "activ"}, "use one of active, inactive, yes, no"),
    ],
)
def test_options_of_yes_and_no_are_true_and_false(options: dict[Any, str], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        parse_mapping(mapping(lambda t: t["dossier"]["choices"].update(is_active=options)), "mine.yaml")


@pytest.mark.parametrize(
    ("yes", "role"),
    [
        (("child",), "child"),
        (("parent", "child"), "child"),
        (("witness", "suspect"), "suspect"),
        (("child", "suspect"), "child+suspect"),
        ((), None),
    ],
)
def test_of_several_roles_in_one_row_none_is_overlooked(yes: tuple[str, ...], role: str | None) -> None:
    """SUS-05, R-161: a role that nobody knows keeps as an unknown child does, and is looked at before it is
    told."""
    keys = {f"flag_{key}": key for key in ("parent", "witness", "child", "suspect")}
    step = flags("role", keys)
    assert step.fill(*([key in yes] for key in keys.values())) == [role]
