"""An administrator with the pages alone maps an organisation that this product has not seen, and a child of
it is answered and disposed of: words planted in every text column and every file are found or named as not
searched, and none is left (EXP-03, ERA-12, R-158). Everybody is fictitious."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.emulator.serving.server import RunningEmulator, running
from tests.connectors.emulator.client import Client
from tests.connectors.storage.sharepoint import Library
from tests.crm_compliance.typist import Typist
from tests.integration.night import TOKEN

ENVIRONMENT = Path(__file__).parents[1] / "data" / "beuk-environment.yaml"
SITE = "https://beuk.sharepoint.com/sites/CRM"
SETS = {"contact": "contacts", "hb_traject": "hb_trajecten", "hb_gesprek": "hb_gesprekken", "hb_stap": "hb_stappen"}
KEYS = {"annotations": "annotationid", "connections": "connectionid", "connectionroles": "connectionroleid", "contacts": "contactid"}
BY_RULE = {"activityparty.addressused", "activityparty.partyidname", "hb_gesprek.hb_nummerbeller", "phonecall.phonenumber",
           "email.sender", "email.torecipients"}  # numbers and names: found, and told as labels  # fmt: skip
UNSEARCHED = {"contact.hb_weetje": "column:contact.hb_weetje", "hb_traject.hb_bijnaam": "column:dossier.hb_bijnaam"}
DPO, APPROVER = ("--as", "dora", "--role", "dpo"), ("--as", "erik", "--role", "approver")

# What the administrator answers, from the draft's own candidates: what stands there, and what becomes of it.
ANSWERS = (
    (r"# copies: \[\]", "copies: []"),
    ("# stay:", "stay:\n  hb_traject_gesprek: {why: says what the column says, by: A. Beheerder}"),
    ("# goes_along:", "goes_along:"),
    (r'#   (contact.hb_weetje|hb_traject.hb_bijnaam): \{why: "", by: ""\}', r"  \1: {why: goes with its row, by: A. Beheerder}"),
    (r'#   hb_gesprek.hb_gevoerdop: \{why: "", by: ""\}', "  hb_gesprek.actualend: {why: when it was closed, by: A. Beheerder}"),
    (r"# dependent:\n((?:#.*\n)+)", lambda found: "dependent:\n" + re.sub("^#", "", found[1], flags=re.MULTILINE)),
    (r"# without: \[reopened_on, proceedings_ended_on, legal_hold\]", "without: [reopened_on, proceedings_ended_on]"),
    (r"# choose: legal_hold \(needed, or under without\): hb_bewaren.*", "legal_hold: hb_bewaren"),
    ("# choose: 745000000: no key is like it", "745000000: returned"),
    ("# choose: 745000001: no key is like it", "745000001: not_returned"),
    (r"communicated_on: actualend\n.*\n", "communicated_on: hb_gevoerdop\n"),
    ("communicated_at: actualend", "communicated_at: hb_gevoerdop"),
    ("# choose: (745000000: phone|745000002: visit)", r"\1"),
    (r"  # party:\n((?:  #   .*\n)+)", lambda found: "  party:\n" + re.sub("^  #   ", "    ", found[1], flags=re.MULTILINE)),
    (r"(hb_traject_broers, .*)fixed: \{role: \}", r"\1fixed: {role: other}"),
    (r"(hb_gesprek_aanwezige, .*)fixed: \{role: \}", r"\1fixed: {role: witness}"),
    (r"    - \{table: activityparty.*\n", ""),
)  # fmt: skip


class House:
    """The organisation, and the words that were planted in it: where each is, by word."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.emulator = emulator
        self.client = Client(emulator, TOKEN)
        self.tables = emulator.emulator.tables.environment.tables
        self.library = Library(emulator, site=SITE, name="hb_traject")
        self.ids, self.words = Random(3), dict[str, str]()
        self.themes = {name: self.make("hb_themas", "hb_themaid", hb_naam=name) for name in ("Weglopen", "Sociale kaart")}
        self.roles = {name: self.make("connectionroles", name=name) for name in ("Kind", "Moeder", "Melder")}
        site = self.make("sharepointsites", "sharepointsiteid", name="Standaard", absoluteurl=SITE)
        self.root = self.location("hb_traject", sharepointsite=f"/sharepointsites({site})")

    def make(self, table_set: str, key: str = "", **columns: Any) -> str:
        row = str(uuid.UUID(int=self.ids.getrandbits(128), version=4))
        body = {name.replace("__", "@odata."): value for name, value in columns.items()}
        answer = self.client.http.post(self.emulator.url + table_set, json={key or KEYS[table_set]: row, **body})
        assert answer.status_code == 204, (table_set, answer.text)
        return row

    def pair(self, address: str, to: str) -> None:
        answer = self.client.http.post(f"{self.emulator.url}{address}/$ref", json={"@odata.id": f"{self.emulator.url}{to}"})
        assert answer.status_code == 204, answer.text

    def word(self, place: str) -> str:
        word = f"woord{len(self.words):03}"
        self.words[word] = place
        return word

    def texts(self, table: str, *but: str) -> dict[str, str]:
        """A word for every text column that a caller may write."""
        free = [
            each for each in self.tables[table].columns.values() if each.kind in ("string", "memo") and each.writable and not each.system
        ]
        skipped = {*but, "documentbody", "objecttypecode", "mimetype"}
        return {each.name: self.word(f"{table}.{each.name}") for each in free if each.length >= 12 and each.name not in skipped}

    def location(self, folder: str, **bound: str) -> str:
        columns = {f"parentsiteorlocation_{table}__bind" if table.startswith("share") else table: row for table, row in bound.items()}
        return self.make("sharepointdocumentlocations", "sharepointdocumentlocationid", name=folder, relativeurl=folder, **columns)

    def connect(self, role: str, of: tuple[str, str], person: str, **more: str) -> None:
        ends = {f"record1id_{of[0]}__bind": f"/{SETS[of[0]]}({of[1]})", "record2id_contact__bind": f"/contacts({person})"}
        self.make("connections", record2roleid__bind=f"/connectionroles({self.roles[role]})", **ends, **more)

    def person(self, first: str, last: str, **more: Any) -> str:
        return self.make("contacts", firstname=first, lastname=f"{last} (fictief)", **more)

    def story(self, child: str, mother: str, theme: str, day: str, *, closed: bool) -> str:
        """A dossier with everything that can hang on it."""
        about = {"hb_HoofdthemaId__bind": f"/hb_themas({self.themes[theme]})"}
        case = self.make("hb_trajecten", "hb_trajectid", hb_startdatum=day, hb_bewaren=False, **about, **self.texts("hb_traject"))
        there = f"/hb_trajecten({case})"
        party = {"partyid_contact@odata.bind": f"/contacts({mother})", "participationtypemask": 1, **self.texts("activityparty")}
        talk = self.make(
            "hb_gesprekken", "activityid", hb_gevoerdop=f"{day}T10:00:00Z", hb_kanaal=745000000, actualend=f"{day}T11:00:00Z",
            hb_ThemaId__bind=f"/hb_themas({self.themes[theme]})", regardingobjectid_hb_traject_hb_gesprek__bind=there,
            hb_gesprek_activity_parties=[party], **self.texts("hb_gesprek"),
        )  # fmt: skip
        self.connect("Kind", ("hb_traject", case), child, **self.texts("connection", "name"))
        self.connect("Moeder", ("hb_traject", case), mother)
        self.connect("Melder", ("hb_gesprek", talk), mother)
        self.pair(f"hb_gesprekken({talk})/hb_gesprek_aanwezige", f"contacts({child})")
        self.pair(f"hb_trajecten({case})/hb_traject_gesprek", f"hb_gesprekken({talk})")
        self.pair(f"hb_trajecten({case})/hb_traject_broers", f"contacts({child})")
        plan = self.make("hb_actieplannen", "hb_actieplanid", hb_TrajectId__bind=there, **self.texts("hb_actieplan"))
        of_plan = {"hb_ActieplanId__bind": f"/hb_actieplannen({plan})", "hb_WieId__bind": f"/contacts({mother})"}
        step = self.make("hb_stappen", "hb_stapid", **of_plan, **self.texts("hb_stap"))
        of_step = {"hb_op": day, "hb_StapId__bind": f"/hb_stappen({step})"}
        row = self.make("hb_evaluaties", "hb_evaluatieid", **of_step, **self.texts("hb_evaluatie"))
        headers = {"x-ms-file-name": "verslag.txt", "Content-Type": "application/octet-stream"}
        body = f"Verslag met {self.word('hb_evaluatie.hb_verslag')}.".encode()
        self.client.http.patch(f"{self.emulator.url}hb_evaluaties({row})/hb_verslag", data=body, headers=headers).raise_for_status()
        for table, owner in (("hb_traject", case), ("hb_gesprek", talk), ("hb_stap", step)):
            file = base64.b64encode(f"Bijlage met {self.word(f'annotation of {table}')}.".encode()).decode()
            on: dict[str, Any] = {f"objectid_{table}__bind": f"/{SETS[table]}({owner})", "isdocument": True, "mimetype": "text/plain"}
            self.make("annotations", documentbody=file, **on, **self.texts("annotation"))
        for table in ("phonecall", "email"):
            party = {"partyid_contact@odata.bind": f"/contacts({child})", "participationtypemask": 2, **self.texts("activityparty")}
            on = {f"regardingobjectid_hb_traject_{table}__bind": there, f"{table}_activity_parties": [party]}
            self.make(f"{table}s", "activityid", **on, **self.texts(table))
        above = {"sharepointdocumentlocation": f"/sharepointdocumentlocations({self.root})"}
        self.location(case[:8], **above, regardingobjectid_hb_traject_sharepointdocumentlocation__bind=there)
        self.library.put(f"{case[:8]}/{self.word('document name')}.txt", f"Met {self.word('document')}.".encode())
        if closed:
            ended = {"statecode": 1, "statuscode": 3, "hb_einddatum": day}
            self.client.http.patch(f"{self.emulator.url}hb_trajecten({case})", json=ended, headers={"If-Match": "*"}).raise_for_status()
        return case

    def child(self, first: str, last: str, born: str) -> str:
        told = ("firstname", "lastname", "fullname", "emailaddress1", "telephone1", "address1_postalcode")
        return self.person(first, last, birthdate=born, emailaddress1=f"{first.lower()}@example.org", **self.texts("contact", *told))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(environment=ENVIRONMENT, token=TOKEN, state=tmp_path / "crm.db") as emulator:
        made = House(emulator)
        yield made
        made.client.http.close()


def left_of(words: dict[str, str], file: Path) -> dict[str, str]:
    """The words that anything in the CRM still holds, audit and bin among it."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        text = "".join(str(database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names)
    return {word: place for word, place in words.items() if word in text}


def answered(draft: str) -> str:
    for said, answer in ANSWERS:
        draft, number = re.subn(said, answer, draft)
        assert number, said
    return draft


def test_from_nothing_to_an_answer_and_a_disposal(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = house.child("Lotte", "Zandstra", "2000-02-01")
    gone = house.story(old, house.person("Mina", "Verstraeten"), "Sociale kaart", "2020-01-10", closed=True)
    of_old = dict(house.words)
    young = house.child("Finn", "Peeters", "2008-03-01")
    house.story(young, house.person("Els", "Maes"), "Weglopen", "2026-09-10", closed=False)
    house.make("hb_giften", "hb_giftid", hb_naam="Gift", hb_bedrag=25, hb_SchenkerId__bind=f"/contacts({house.person('Jan', 'Claes')})")

    of_young = {word: place for word, place in house.words.items() if word not in of_old}

    typist = Typist(capsys, monkeypatch, tmp_path, house.emulator.url)
    mapping = tmp_path / "mapping.yaml"
    typist.set(SHAREPOINT_SITES=SITE, GRAPH_URL=f"{house.emulator.root}/v1.0/")
    assert typist.type("mapping", "draft", "--output", mapping).code == 0
    mapping.write_text(answered(mapping.read_text("utf-8")), "utf-8")
    typist.set(MAPPING=str(mapping))
    assert typist.type("mapping", "statistics-table", "--create").code == 0
    said = typist.type("mapping", "check", mapping, "--json")
    assert (said.code, said.document["problems"], "pairs_left_out" in said.out) == (0, [], False), "one round is enough"
    unaccounted = [each for each in typist.ask("datamap") if each["fate"] == "unaccounted" and each["rows"] != 0]
    assert unaccounted == []

    assert_found(typist, young, of_young)
    plan = typist.ask("plan", "--output", tmp_path / "plan.jsonl")["plan"]
    for who, role in (("ann", "crm_admin"), ("dora", "dpo")):
        typist.ask("plans", "approve", plan, "--as", who, "--role", role)
    done = typist.ask("apply", plan)
    assert (done["state"], done["skipped"]) == ("done", {}), done
    assert left_of(of_old, tmp_path / "crm.db") == {}
    assert house.library.item(gone[:8]) is None
    in_rows = {word for word, place in of_young.items() if not place.startswith(("document", "annotation of"))}
    assert left_of(of_young, tmp_path / "crm.db").keys() >= in_rows, "nothing of the other child has gone"


def assert_found(typist: Typist, contact: str, words: dict[str, str]) -> None:
    given = {"firstname": "Finn", "lastname": "Peeters (fictief)", "birthdate": "2008-03-01", "phones": [], "nationalnumbers": []}
    form = {"right": "access", "requester_kind": "unknown", "received_at": "2026-11-25T10:00:00Z", "channel": "email", "language": "nl"}
    path = typist.folder / "form.json"
    path.write_text(json.dumps({**form, "given": {**given, "emails": ["finn@example.org"]}, "on_behalf_of": None}), "utf-8")
    request = typist.ask("requests", "open", path)["request"]
    typist.ask("requests", "identify", request, "--method", "eid", *DPO)
    match = typist.ask("requests", "match", request)
    (chosen,) = [each["candidate"] for each in match["candidates"] if each["id"] == contact]
    typist.ask("requests", "confirm", request, chosen, *DPO)
    typist.ask("requests", "compile", request, *DPO)
    told = json.dumps(typist.ask("requests", "review", request))
    missing = {place for word, place in words.items() if word not in told}
    assert missing == {"hb_evaluatie.hb_verslag"} | UNSEARCHED.keys() | BY_RULE
    assert {*UNSEARCHED.values()} <= {*match["not_searched"]}
    assert '"text/plain"' in told, "the file of the evaluation is handed over as what its name says"
