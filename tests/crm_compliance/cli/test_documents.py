"""Documents in SharePoint, from the command line: doctor, applying, an answer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.emulator.serving.server import RunningEmulator, running
from rules.model.requests import Outcome
from tests.connectors.storage.sharepoint import SITE
from tests.drivers.asking import Asking, told
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN, set_faults
from tests.drivers.typist import DORA, Typist
from tests.integration.documents import LOCATION, Documents, environment_with_sharepoint
from tests.known_definitions import KNOWN


@pytest.fixture(scope="module")
def crm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    environment = environment_with_sharepoint(tmp_path_factory.mktemp("environment"))
    with running(environment=environment, token=TOKEN) as started, KNOWN.of(started, TOKEN):
        yield started


@pytest.fixture
def documents(org: Night, typist: Typist, crm: RunningEmulator) -> Documents:
    typist.set(SHAREPOINT_SITES=SITE, GRAPH_URL=f"{crm.root}/v1.0")
    return Documents(org, configured=False)


def checks(typist: Typist, code: int = 0) -> dict[str, str]:
    said = typist.type("doctor", "--json")
    assert said.code == code, said
    return {check["name"]: check["message"] for check in said.document["checks"]}


def test_doctor_says_what_of_sharepoint_is_reached(documents: Documents, typist: Typist) -> None:
    documents.dossier_with("brief.txt")
    found = checks(typist)
    assert found["sharepoint"] == "document libraries in SharePoint"
    assert found["documents"] == "1 document locations belong to rows of the CRM"
    other = documents._row("sharepointsite", name="Andere", absoluteurl="https://fictief.sharepoint.com/sites/Elders")
    documents.location(("contact", documents.night.contact()), "x/P-1", below=("sharepointsite", other))
    assert "warning: 1 of them lie outside SHAREPOINT_SITES" in checks(typist)["documents"]


def test_doctor_without_the_setting_asks_nothing_of_sharepoint(documents: Documents, typist: Typist) -> None:
    typist.unset("SHAREPOINT_SITES")
    assert not {"sharepoint", "documents"} & checks(typist).keys()


@pytest.mark.parametrize("path", ["sites/fictief", "/drives", "/recycleBin/"])
def test_doctor_says_what_is_missing(documents: Documents, typist: Typist, path: str) -> None:
    set_faults(documents.night.emulator, {"match": {"path": path}, "do": "status", "status": 403})
    assert "refuses" in checks(typist, 2)["sharepoint"]
    set_faults(documents.night.emulator)


def test_a_site_that_is_not_there_is_told(documents: Documents, typist: Typist) -> None:
    typist.set(SHAREPOINT_SITES=f"{SITE}, {SITE}-elders")
    assert "is not there" in checks(typist, 2)["sharepoint"]


def test_a_static_token_is_for_a_graph_on_this_machine(documents: Documents, typist: Typist) -> None:
    typist.unset("GRAPH_URL")
    error = typist.refused("plan", code=2)
    assert (error["message"].split(",")[0], error["where"]) == ("a static token is accepted for a CRM", "graph.microsoft.com")


def test_a_dossier_goes_with_its_documents_and_the_run_says_how_many(documents: Documents, typist: Typist) -> None:
    documents.dossier_with("brief.txt", "verslag.txt", folder="Lotte Peeters (fictief)")
    run = typist.ask("apply", typist.ask("plan")["plan"])
    assert (run["state"], run["documents"]) == ("done", 2)
    assert documents.library.files == {"van niemand/blijft.txt"}
    assert typist.ask("verify", run["run"])["still_there"] == []
    file = typist.folder / "certificates.json"
    typist.ask("certificate", run["run"], "--output", file)
    assert [each["objects"]["documents"] for each in json.loads(file.read_text(encoding="utf-8"))["certificates"]] == [2]
    assert typist.ask("certificate", "verify", file)["ok"] is True
    said = typist.type("history", "show", run["run"])
    assert "2 documents outside the CRM went before their rows" in said.out
    assert "Peeters" not in said.out + said.err


def test_without_the_setting_the_dossier_waits(documents: Documents, typist: Typist) -> None:
    typist.unset("SHAREPOINT_SITES")
    documents.dossier_with("brief.txt")
    plan = typist.approve_first(typist.ask("plan")["plan"])
    said = typist.type("apply", plan, "--json")
    assert (said.code, said.document["skipped"], "documents" in said.document) == (6, {"SKIPPED_TECHNICAL": 1}, False)


JAN: dict[str, Any] = {"firstname": "Jan", "lastname": "Wouterlood (fictief)", "emails": ["jan@example.org"]}


@pytest.fixture
def person(documents: Documents) -> str:
    """A child with a file, and a document in it that names its mother."""
    org = documents.night
    child = org.contact(firstname="Jan", lastname="Wouterlood (fictief)", emailaddress1="jan@example.org")
    dossier = org.dossier("sexting", closed=False, fiches=0)
    org.party(child, "child", dossier=dossier)
    org.party(org.contact(firstname="Mina", lastname="Verstraeten (fictief)"), "parent", dossier=dossier)
    documents.location(("cf_dossier", dossier), "D-1")
    documents.library.put("D-1/verslag.txt", b"Een kwikstaartje vloog op. Mina Verstraeten (fictief) keek toe.")
    return child


def an_answer(typist: Typist, person: str) -> Asking:
    asking = Asking(typist).open(JAN).identify().confirm(person)
    asking.compile("--plain-folder", str(typist.folder / "copy"))
    return asking


def test_a_document_belongs_to_the_answer(documents: Documents, typist: Typist, person: str) -> None:
    """EXP-06, EXP-07, R-118: from SharePoint to the package, without the others whom it names."""
    asking = an_answer(typist, person)
    found = set(typist.ask("requests", "match", asking.id)["not_searched"])
    assert (found & {"documents", f"table:{LOCATION}"}, "library_content" in found) == (set(), True)
    assert "documenten in SharePoint die niet aan u gekoppeld zijn" in (typist.folder / "copy" / "index.html").read_text(encoding="utf-8")
    asking.confirm(person)
    asking.compile()
    counts = typist.ask("requests", "review", asking.id, "--completeness", *DORA)
    assert (counts["complete"], {"attachments_content", "library_content"} <= set(counts["unread"])) == (True, True)
    asking.approve_all()
    answer = told(asking.compilation)
    assert ("kwikstaartje" in answer, "Verstraeten" in answer) == (True, False)
    assert asking.release().outcome is Outcome.DELIVERED


@pytest.mark.parametrize("fails", [False, True])
def test_documents_out_of_reach_are_named_by_match_by_the_count_and_in_the_letter(
    documents: Documents, typist: Typist, person: str, fails: bool
) -> None:
    """EXP-03."""
    if fails:
        set_faults(documents.night.emulator, {"match": {"path": "/v1.0/"}, "do": "status", "status": 403})
    else:
        typist.unset("SHAREPOINT_SITES")
    asking = an_answer(typist, person)
    counts = typist.ask("requests", "review", asking.id, "--completeness", *DORA)
    assert (counts["complete"], set(counts["not_searched"])) == (False, {"documents", f"table:{LOCATION}"})
    assert "documenten in SharePoint" in (typist.folder / "copy" / "index.html").read_text(encoding="utf-8")
    assert "documents" in typist.ask("requests", "match", asking.id)["not_searched"]
    set_faults(documents.night.emulator)
