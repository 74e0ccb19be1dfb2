"""An administrator with the pages alone maps an organisation that this product has not seen, and a child of
it is answered and disposed of: words planted in every text column and every file are found or named as not
searched, and none is left (EXP-03, ERA-12, R-158). Everybody is fictitious."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.emulator.serving.server import RunningEmulator, running
from tests.connectors.storage.sharepoint import Library
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import DORA, Typist
from tests.integration.matched import matched_with
from tests.integration.planted import LOCATION, Planted, left_of

ENVIRONMENT = Path(__file__).parents[1] / "data" / "beuk-environment.yaml"
SITE = "https://beuk.sharepoint.com/sites/CRM"
BY_RULE = {"activityparty.addressused", "activityparty.partyidname", "hb_gesprek.hb_nummerbeller", "phonecall.phonenumber",
           "email.sender", "email.torecipients"}  # numbers and names: found, and told as labels  # fmt: skip
UNSEARCHED = {"contact.hb_weetje": "column:contact.hb_weetje"}

# What the administrator answers, from the draft's own candidates: what stands there, and what becomes of it.
ANSWERS = (
    (r"# copies: \[\]", "copies: []"),
    ("# stay:", "stay:\n  hb_traject_gesprek: {why: says what the column says, by: A. Beheerder}"),
    ("# goes_along:", "goes_along:\n  contact.hb_weetje: {why: goes with its row, by: A. Beheerder}"),
    (r"# (texts: \[hb_bijnaam\])", r"\1"),
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


class House(Planted):
    def __init__(self, emulator: RunningEmulator) -> None:
        super().__init__(emulator)
        self.library = Library(emulator, site=SITE, name="hb_traject")
        self.themes = {name: self.make("hb_thema", hb_naam=name) for name in ("Weglopen", "Sociale kaart")}
        self.roles = {name: self.make("connectionrole", name=name) for name in ("Kind", "Moeder", "Melder")}
        site = self.make("sharepointsite", name="Standaard", absoluteurl=SITE)
        self.root = self.location("hb_traject", ("sharepointsite", site))

    def story(self, child: str, mother: str, theme: str, day: str, *, closed: bool) -> str:
        """A dossier with everything that can depend on it."""
        about = {"hb_HoofdthemaId__bind": self.at("hb_thema", self.themes[theme])}
        case = self.make("hb_traject", hb_startdatum=day, hb_bewaren=False, **about, **self.texts("hb_traject"))
        there = self.at("hb_traject", case)
        party = {"partyid_contact@odata.bind": self.at("contact", mother), "participationtypemask": 1, **self.texts("activityparty")}
        talk = self.make(
            "hb_gesprek", hb_gevoerdop=f"{day}T10:00:00Z", hb_kanaal=745000000, actualend=f"{day}T11:00:00Z",
            hb_ThemaId__bind=self.at("hb_thema", self.themes[theme]), regardingobjectid_hb_traject_hb_gesprek__bind=there,
            hb_gesprek_activity_parties=[party], **self.texts("hb_gesprek"),
        )  # fmt: skip
        self.connect(self.roles["Kind"], ("hb_traject", case), child, **self.texts("connection", "name"))
        self.connect(self.roles["Moeder"], ("hb_traject", case), mother)
        self.connect(self.roles["Melder"], ("hb_gesprek", talk), mother)
        self.pair(("hb_gesprek", talk), "hb_gesprek_aanwezige", ("contact", child))
        self.pair(("hb_traject", case), "hb_traject_gesprek", ("hb_gesprek", talk))
        self.pair(("hb_traject", case), "hb_traject_broers", ("contact", child))
        plan = self.make("hb_actieplan", hb_TrajectId__bind=there, **self.texts("hb_actieplan"))
        of_plan = {"hb_ActieplanId__bind": self.at("hb_actieplan", plan), "hb_WieId__bind": self.at("contact", mother)}
        step = self.make("hb_stap", **of_plan, **self.texts("hb_stap"))
        of_step = {"hb_op": day, "hb_StapId__bind": self.at("hb_stap", step)}
        row = self.make("hb_evaluatie", **of_step, **self.texts("hb_evaluatie"))
        self.file("hb_evaluatie", row, "hb_verslag")
        for on in (("hb_traject", case), ("hb_gesprek", talk), ("hb_stap", step)):
            self.note(*on)
        for table in ("phonecall", "email"):
            party = {"partyid_contact@odata.bind": self.at("contact", child), "participationtypemask": 2, **self.texts("activityparty")}
            bound = {f"regardingobjectid_hb_traject_{table}__bind": there, f"{table}_activity_parties": [party]}
            self.make(table, **bound, **self.texts(table))
        self.location(case[:8], (LOCATION, self.root), ("hb_traject", case))
        self.library.put(f"{case[:8]}/{self.word('document name')}.txt", f"Met {self.word('document')}.".encode())
        if closed:
            self.change("hb_traject", case, statecode=1, statuscode=3, hb_einddatum=day)
        return case

    def child(self, first: str, last: str, born: str) -> str:
        told = ("firstname", "lastname", "fullname", "emailaddress1", "telephone1", "address1_postalcode")
        return self.person(first, last, birthdate=born, emailaddress1=f"{first.lower()}@example.org", **self.texts("contact", *told))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(environment=ENVIRONMENT, token=TOKEN, state=tmp_path / "crm.db") as emulator:
        made = House(emulator)
        yield made
        made.close()


def answered(draft: str) -> str:
    for said, answer in ANSWERS:
        draft, number = re.subn(said, answer, draft)
        assert number, said
    return draft


def test_from_nothing_to_an_answer_and_a_disposal(house: House, typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    old = house.child("Lotte", "Zandstra", "2000-02-01")
    gone = house.story(old, house.person("Mina", "Verstraeten"), "Sociale kaart", "2020-01-10", closed=True)
    of_old = dict(house.words)
    young = house.child("Finn", "Peeters", "2008-03-01")
    house.story(young, house.person("Els", "Maes"), "Weglopen", "2026-09-10", closed=False)
    house.make("hb_gift", hb_naam="Gift", hb_bedrag=25, hb_SchenkerId__bind=house.at("contact", house.person("Jan", "Claes")))

    of_young = {word: place for word, place in house.words.items() if word not in of_old}

    typist = typist_at(house.emulator.url)
    mapping = tmp_path / "mapping.yaml"
    typist.set(SHAREPOINT_SITES=SITE, GRAPH_URL=f"{house.emulator.root}/v1.0/")
    assert typist.type("mapping", "draft", "--output", mapping).code == 0
    assert "1: m  # Mannelijk\n        2: f  # Vrouwelijk\n" in mapping.read_text("utf-8")
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
    request, not_searched = matched_with(typist, contact)
    typist.ask("requests", "compile", request, *DORA)
    told = json.dumps(typist.ask("requests", "review", request))
    missing = {place for word, place in words.items() if word not in told}
    assert missing == UNSEARCHED.keys() | BY_RULE
    assert {*UNSEARCHED.values()} <= {*not_searched}
    assert '"text/plain"' in told, "the file of the evaluation is handed over as what its name says"
