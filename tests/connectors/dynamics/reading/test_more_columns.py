"""Values that stand in several places: a date in the first column that has one, categories in two lookups and
in pairs, an outcome in the reason of the status; read by the real client from an emulator (R-161)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.mapping.loader import parse_mapping
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import Forbidden
from connectors.interface.id_numbers import as_texts
from connectors.interface.rows import Among
from jobs.model.privileges import NEEDS
from rules.dates.calendar import Calendar
from rules.errors import MappingError
from rules.model.records import Dossier, Fiche, Party, Record
from tests.connectors.emulator.client import Client
from tests.drivers.connecting import connect
from tests.known_definitions import KNOWN
from tests.yaml_files import read_yaml, yaml_text

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

DATA = Path(__file__).parents[3] / "data"


def mapping(change: Callable[[Any], None] = lambda tables: None) -> str:
    document: dict[str, Any] = read_yaml(DATA / "connected-mapping.yaml")
    dossier, fiche = document["tables"]["dossier"], document["tables"]["fiche"]
    dossier["columns"] |= {"outcome": "statuscode", "reviewed_on": "modifiedon"}
    dossier["more"] = {"opened_on": ["createdon"], "categories": ["cc_tweedeid"]}
    dossier["many_to_many"] = {"categories": "cc_incident_categorie"}
    dossier["choices"]["outcome"] = {5: "located", 1000: "returned"}
    fiche["more"] = {"communicated_on": ["createdon"]}
    change(document["tables"])
    return yaml_text(document)


def connected(emulator: RunningEmulator, text: str = "", **more: Any) -> DynamicsConnector:
    tokens = StaticToken("any", emulator.url)
    return connect(url=emulator.url, tokens=tokens, mapping_text=text or mapping(), mapping_source="test.yaml", **more)


@pytest.fixture
def crm() -> Iterator[tuple[Client, DynamicsConnector]]:
    with running(environment=DATA / "connected-environment.yaml") as emulator, KNOWN.of(emulator, "any"):
        emulator.emulator.switches.incident_by_action = False
        client, connector = Client(emulator), connected(emulator)
        assert [finding for finding in connector.check() if finding.is_error] == []
        yield client, connector
        connector.close()
        client.http.close()


def read(connector: DynamicsConnector, kind: type[Record], *fields: str, among: Among | None = None) -> dict[str, Any]:
    return {row.id: row for page in connector.read(kind, fields, among=among) for row in page}


def test_categories_are_all_that_lookups_and_pairs_name(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    ids = {code: client.create("cc_categorieen", cc_naam=code, cc_code=code) for code in ("SOC", "WEG", "GRO", "NEW")}
    bound = {f"{name}@odata.bind": f"/cc_categorieen({ids[code]})" for name, code in (("cc_CategorieId", "SOC"), ("cc_TweedeId", "WEG"))}
    case, bare = client.create("incidents", title="i", **bound), client.create("incidents", title="j")
    for code in ("GRO", "SOC", "NEW"):
        link = {"@odata.id": f"{client.url}cc_categorieen({ids[code]})"}
        assert client.send("POST", f"incidents({case})/cc_incident_categorie/$ref", link).status_code == 204
    for among in (None, Among("id", [case, bare])):
        found = read(connector, Dossier, "categories", among=among)
        assert set(found[case].categories) == {"social_card", "runaway", "grooming", ids["NEW"]}  # a new one is not a key of the schedule
        assert found[bare].categories == ()


def test_of_several_dates_the_first_that_is_there_counts(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    with_date, without = client.create("incidents", title="i", cc_geopend="2020-01-10"), client.create("incidents", title="j")
    today = datetime.now(UTC).date()
    found = read(connector, Dossier, "opened_on", "reviewed_on")
    assert found[with_date].opened_on == date(2020, 1, 10)
    assert abs((found[without].opened_on - today).days) <= 1
    assert abs((found[without].reviewed_on - today).days) <= 1
    spoken = client.create("cc_meldingen", cc_naam="m")
    row = read(connector, Fiche, "communicated_on", "created_on")[spoken]  # the same column for both
    assert row.communicated_on == row.created_on is not None
    assert read(connector, Fiche, "communicated_on")[spoken].communicated_on == row.created_on


def test_a_day_that_stands_for_none_hides_none_in_a_further_column(crm: tuple[Client, DynamicsConnector]) -> None:
    """RET-14: a term would count from whatever else there is, and end too early."""
    client, _ = crm
    filler, later = date(1900, 1, 1), date(2026, 11, 1)

    text = mapping(lambda tables: tables["dossier"]["more"].update(opened_on=["overriddencreatedon"]))
    days = {
        client.create("incidents", title="i", cc_geopend="1900-01-01", overriddencreatedon="2026-11-01T11:00:00Z"): later,
        client.create("incidents", title="j", cc_geopend="2020-01-10", overriddencreatedon="2026-11-01T11:00:00Z"): date(2020, 1, 10),
        client.create("incidents", title="k", cc_geopend="1900-01-01"): filler,  # which the schedule takes for none, and flags
        client.create("incidents", title="l", overriddencreatedon="2026-11-01T11:00:00Z"): later,
    }
    other = connected(client.emulator, text, calendar=Calendar(fillers=frozenset({filler})))
    assert {row: found.opened_on for row, found in read(other, Dossier, "opened_on").items()} == days
    framed = [dict(as_texts(frame).select("id", "opened_on").iter_rows()) for frame in other.columns(Dossier, ("opened_on",))]
    assert framed == [days]
    other.close()


def _with_two_holds(tables: Any) -> None:
    tables["dossier"]["columns"]["legal_hold"] = "statuscode"
    tables["dossier"]["choices"]["legal_hold"] = {1: "no", 5: "no", 6: "no", 1000: "yes"}
    tables["dossier"]["more"]["legal_hold"] = ["cc_bevroren"]


def test_a_hold_is_there_where_any_column_says_so(crm: tuple[Client, DynamicsConnector]) -> None:
    """HLD-01: a file that a second column holds would go."""
    client, _ = crm
    held = {
        client.create("incidents", title="i", cc_bevroren=True): True,
        client.create("incidents", title="j", cc_bevroren=False): False,
        client.create("incidents", title="k"): False,
        (asked := client.create("incidents", title="l", cc_bevroren=False)): True,
    }
    client.patch(f"incidents({asked})", {"statecode": 1, "statuscode": 1000})
    other = connected(client.emulator, mapping(_with_two_holds))
    told = [{finding.message for finding in each.check(decisions=True, categories={})} for each in (other, crm[1])]
    assert told[0] == told[1]
    assert {row: bool(found.legal_hold) for row, found in read(other, Dossier, "legal_hold").items()} == held
    framed = [dict(as_texts(frame).select("id", "legal_hold").iter_rows()) for frame in other.columns(Dossier, ("legal_hold",))]
    assert [{row: bool(value) for row, value in each.items()} for each in framed] == [held]
    other.close()


@pytest.mark.parametrize("holds", [lambda tables: None, _with_two_holds], ids=["alone", "beside another"])
def test_a_column_that_holds_may_tell_a_category_too(crm: tuple[Client, DynamicsConnector], holds: Callable[[Any], None]) -> None:
    """Every plan would end with an error of the product."""
    client, _ = crm
    case = client.create("incidents", title="i", cc_bevroren=True)

    def telling_both(tables: Any) -> None:
        holds(tables)
        for section in ("columns", "references", "more", "many_to_many"):
            tables["dossier"][section].pop("categories")
        tables["dossier"]["flags"] = {"categories": {"cc_bevroren": "sexting"}}

    other = connected(client.emulator, mapping(telling_both))
    for fields in (("legal_hold", "categories"), ("categories", "legal_hold")):
        found = read(other, Dossier, *fields)[case]
        assert (found.legal_hold, found.categories) == (True, ("sexting",))
        (frame,) = other.columns(Dossier, fields)
        assert [(row["legal_hold"], row["categories"]) for row in frame.to_dicts()] == [(True, "sexting")]
    other.close()


def test_the_reason_of_a_status_tells_an_outcome(crm: tuple[Client, DynamicsConnector]) -> None:
    client, connector = crm
    row, other = client.create("incidents", title="i"), client.create("incidents", title="j")
    assert client.send("PATCH", f"incidents({row})", {"statecode": 1, "statuscode": 1000}).status_code == 204
    found = read(connector, Dossier, "outcome", "is_active")
    assert (found[row].outcome, found[row].is_active) == ("returned", False)
    assert (found[other].outcome, found[other].is_active) == (None, True)


def test_texts_tell_categories_where_an_entry_for_each_says_which(crm: tuple[Client, DynamicsConnector]) -> None:
    """A table for each kind of case has no column that says it, nor has one whose column is a text."""
    client, _ = crm

    def change(tables: Any) -> None:
        for section, name in (("columns", "categories"), ("references", "categories")):
            del tables["dossier"][section][name]
        del tables["dossier"]["more"]["categories"], tables["dossier"]["many_to_many"]
        keys = {"Weglopen": "runaway", "Sexting": "sexting"}
        tables["dossier"] = [tables["dossier"] | {"only": {"title": [text]}, "fixed": {"categories": key}} for text, key in keys.items()]

    away, sexting, other = (client.create("incidents", title=text) for text in ("Weglopen", "sexting", "Pesten"))
    told = connected(client.emulator, mapping(change))
    assert [finding for finding in told.check() if finding.is_error] == []
    found = read(told, Dossier, "categories")
    assert {row: found[row].categories for row in found} == {away: ("runaway",), sexting: ("sexting",)}
    assert other not in found
    told.close()


def test_pairs_that_may_not_be_read_stop_the_read(crm: tuple[Client, DynamicsConnector]) -> None:
    """A read that fails is never an empty result."""
    client, connector = crm
    needed = connector.least_role(NEEDS)
    role = {line.name: line.depth for line in needed if line.name != "prvReadcc_categorie"}
    client.control("PUT", "privileges", {"user": connector.whoami(), "set": role})
    with pytest.raises(Forbidden, match="cc_categorie"):
        read(connector, Dossier, "categories")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["dossier"]["more"].update(opened_on=["createdonn"]), "did you mean createdon"),
        (lambda t: t["dossier"]["more"].update(opened_on=["title"]), "needs a date"),
        (lambda t: t["dossier"]["more"].update(categories=["title"]), "lookup to one table"),
        (lambda t: t["dossier"]["more"].update(legal_hold=["title"]), "a flag of dossier.legal_hold is yes or no"),
        (
            lambda t: (
                t["fiche"]["columns"].update(categories="cc_naam"),
                t["fiche"].pop("references"),
                t["fiche"]["choices"].update(categories={1: "runaway"}),
            ),
            "name the texts under only, and their key under fixed",
        ),
        (lambda t: t["dossier"].update(many_to_many={"categories": "cc_incident_categori"}), "did you mean cc_incident_categorie"),
        (
            lambda t: (t["fiche"].update(many_to_many={"dossier": "cc_incident_categorie"}), t["fiche"]["columns"].pop("dossier")),
            "has no many-to-many",
        ),
        (lambda t: t["party"]["references"]["role"].update(by="nam"), "did you mean name"),
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
        (lambda t: t["dossier"]["more"].update(number=["title"]), "this is not known here"),
        (lambda t: t["dossier"]["more"].update(closed_at=["modifiedon"]), "this is not known here"),
        (lambda t: t["dossier"]["more"].update(anonymised_on=["modifiedon"]), "has no column"),
        (lambda t: t["fiche"].update(many_to_many={"dossier": "cc_incident_melding"}), "filled in two ways"),
        (lambda t: t["fiche"].update(fixed={"channel": "phone"}), "filled in two ways"),
        (lambda t: t["fiche"].update(fixed={"categories": "runaway"}), "filled in two ways"),
        (lambda t: t["contact"].update(without=["birth_on"]), "contact.birth_on is needed, and cannot be left out"),
        (lambda t: t["fiche"].update(fixed={"reporter_kind": "chld"}), "did you mean child"),
        (lambda t: t["party"].update(table="cc_betrokkene"), "same column"),
        (lambda t: t["party"]["columns"].pop("role"), "role is missing"),
        (lambda t: [t["party"]["columns"].pop(name) for name in ("dossier", "fiche")], "dossier is missing"),
    ],
)
def test_what_does_not_fit_together_is_told_by_line(change: Callable[[Any], None], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        parse_mapping(mapping(change), "mine.yaml")


def test_pairs_and_participants_would_tie_what_is_anonymised_in_place(crm: tuple[Client, DynamicsConnector]) -> None:
    """Nothing that is masked takes them away (ERA-06)."""
    client, _ = crm

    def change(tables: Any) -> None:
        del tables["fiche"]["columns"]["dossier"]
        tables["fiche"]["many_to_many"] = {"dossier": "cc_incident_melding"}

    other = connected(client.emulator, mapping(change))
    told = [finding.message for finding in other.check(in_place=True) if finding.code == "masking"]
    assert any("cc_incident_melding would tie a fiche to a dossier" in message for message in told)
    assert any("cc_incident_categorie would tie a dossier to its categories" in message for message in told)
    other.close()


def test_connections_that_are_no_roles_are_not_hidden_roles(crm: tuple[Client, DynamicsConnector]) -> None:
    """The CRM counts them with the others, so its count says nothing of roles."""
    client, connector = crm
    one, two = client.create("contacts", firstname="a"), client.create("contacts", firstname="b")
    client.create(
        "connections", **{"record1id_contact@odata.bind": f"/contacts({one})", "record2id_contact@odata.bind": f"/contacts({two})"}
    )
    assert read(connector, Party, "role") == {}
    assert connector.totals([Party]) == {}
