"""An organisation that mixes what others have one of: dossiers are incidents of one type, reports telephone
calls and chats, a status tells what a chat is about, and roles stand in lookups, a table, connections, pairs
and among participants. What is written lies three levels deep, in columns of every type and in two sites of
SharePoint; visits have a term of their own, and people a family behind a lookup. Words planted in every text
column and every file are found or named as not searched, and none is left (EXP-03, ERA-12, R-158). Everybody
is fictitious."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.schedule import policy_text
from tests.connectors.storage.sharepoint import Library
from tests.drivers.organisation import TOKEN
from tests.drivers.typist import DORA, ERIK, Typist
from tests.forms.answering import unpacked
from tests.independent.asking import pdf_text
from tests.integration.matched import matched_with
from tests.integration.planted import LOCATION, Planted, left_of
from tests.integration.visits import VISITS

ENVIRONMENT = Path(__file__).parents[1] / "data" / "mixed-environment.yaml"
SITES = ("https://tussenhaven.sharepoint.com/sites/CRM", "https://tussenhaven.sharepoint.com/sites/Archief")
THEMES = {"Weglopen": ("WEG", 746000010), "Sociale kaart": ("SOC", 746000011)}  # code of a list, status of a chat
# Numbers and names of others: found, and told as labels. Pictures are handed over without their comments.
AS_LABELS = re.compile(r"activityparty\..*|phonecall.phonenumber|email.(sender|torecipients)")
PICTURES = {"contact.entityimage", "th_waarneming.th_foto"}
FAMILY = re.compile(r"  th_gezin:.*\n(?:    .*\n)+")  # to which people point

SOLE = "{why: goes with its row, by: A. Beheerder}"
UNFILLED = r"contact\.th_cv|incident\.th_brief|incident\.th_foto|th_chat\.th_bestand"


def in_force(text: str) -> str:
    return re.sub(r"^( *)# ?", r"\1", text, flags=re.MULTILINE)


# What the administrator answers, from the draft's own candidates.
ANSWERS = (
    (r"# copies: \[\]", "copies: []"),
    ("# goes_along:", f"goes_along:\n  th_bezoek.th_vorigid: {SOLE}"),
    (rf'#   ({UNFILLED}): \{{why: "", by: ""\}}', rf"  \1: {SOLE}"),
    (r"# dependent:\n((?:#.*\n)+)", lambda found: "dependent:\n" + re.sub("^#", "", found[1], flags=re.MULTILINE)),
    (r"# without: \[reopened_on, proceedings_ended_on, legal_hold\]", "without: [reopened_on, proceedings_ended_on]"),
    (r"# choose: legal_hold \(needed, or under without\): th_bewaren.*", "legal_hold: th_bewaren"),
    (r"    # choose: term: \{row: , date: th_op\}.*", "    term: {row: home_visits, date: th_op}"),
    (r"# (texts: \[)(?!th_toelichting)", r"\1"),
    (r"    table: incident\n", "    table: incident\n    only: {casetypecode: [2]}\n"),
    (r"# choose: categories \(needed, or under without\): no column is like it", "categories: statuscode"),
    (r" +# choose: the status of a row may tell categories \(2 rows\).*\n +# (categories: \{.*?\}).*\n", r"      choices: {\1}\n"),
    (
        r"    # choose: rows of phonecall may be such too; put this in force then\n((?:    # .*\n)+)",
        lambda found: in_force(found[1]).replace("# choose: only: {th_aard: []}, and the other values", "only: {th_aard: [1]}  #"),
    ),
    ("# choose: notes: th_toelichting.*", "notes: th_toelichting"),
    (r"    # choose: places that may keep roles too.*\n((?:    # .*\n)+)", lambda found: in_force(found[1])),
    (r"- \{table: incident, (.*customerid\}, fixed: \{role: )\}", r"- {table: incident, only: {casetypecode: [2]}, \1reporter}"),
    (r"- \{table: incident, (columns: .*th_kindid)", r"- {table: incident, only: {casetypecode: [2]}, \1"),
    (r"(th_chat_contact, .*)fixed: \{role: \}", r"\1fixed: {role: child}"),
    (r"choices: \{role: \{\}\}", "choices: {role: {1: reporter, 2: other}}"),
    (r"    table: phonecall\n    columns:", "    table: phonecall\n    only: {th_aard: [2]}\n    columns:"),
)


def answered(draft: str) -> str:
    for said, answer in ANSWERS:
        draft, number = re.subn(said, answer, draft)
        assert number, said
    return draft


class House(Planted):
    def __init__(self, emulator: RunningEmulator) -> None:
        super().__init__(emulator)
        self.themes = {name: self.make("th_thema", th_naam=name, th_code=code) for name, (code, _) in THEMES.items()}
        self.role = self.make("connectionrole", name="Moeder")
        self.libraries = [Library(emulator, site=site, name="incident") for site in SITES]
        sites = [self.make("sharepointsite", name=f"Site {at}", absoluteurl=site) for at, site in enumerate(SITES)]
        self.roots = [self.location("incident", ("sharepointsite", site)) for site in sites]

    def child(self, first: str, last: str, born: str) -> str:
        told = ("firstname", "lastname", "fullname", "emailaddress1", "telephone1", "address1_postalcode")
        family = self.make("th_gezin", **self.texts("th_gezin"))
        mail = f"{first.lower()}@example.org"
        of = {"th_GezinId__bind": self.at("th_gezin", family)}
        child = self.person(first, last, birthdate=born, emailaddress1=mail, **of, **self.texts("contact", *told))
        self.file("contact", child, "th_cv")
        self.file("contact", child, "entityimage")
        self.note("contact", child)
        self.make("th_afspraak", th_BijId_contact__bind=self.at("contact", child), **self.texts("th_afspraak"))
        return child

    def activity(self, table: str, about: tuple[str, str], who: str, mask: int, **more: Any) -> str:
        party = {"partyid_contact@odata.bind": self.at("contact", who), "participationtypemask": mask, **self.texts("activityparty")}
        bound = {f"regardingobjectid_{about[0]}_{table}__bind": self.at(*about), f"{table}_activity_parties": [party]}
        return self.make(table, **bound, **more, **self.texts(table))

    def visit(self, case: str, day: str, **more: str) -> tuple[str, str]:
        """A visit of a day, with what was seen there and a caption below that."""
        of_case = {"th_ZaakId__bind": self.at("incident", case)}
        visit = self.make("th_bezoek", th_op=day, **of_case, **more, **self.texts("th_bezoek"))
        seen = self.make("th_waarneming", th_BezoekId__bind=self.at("th_bezoek", visit), **self.texts("th_waarneming"))
        self.make("th_bijschrift", th_WaarnemingId__bind=self.at("th_waarneming", seen), **self.texts("th_bijschrift"))
        return visit, seen

    def story(self, child: str, mother: str, theme: str, day: str, *, closed: bool) -> str:
        """A dossier with everything that can depend on it."""
        people = {"customerid_contact__bind": self.at("contact", mother), "th_KindId__bind": self.at("contact", child)}
        of_theme = {"th_ThemaId__bind": self.at("th_thema", self.themes[theme])}
        case = self.make("incident", casetypecode=2, th_gestart=day, th_bewaren=False, **people, **of_theme, **self.texts("incident"))
        here = ("incident", case)
        chat = self.activity("th_chat", here, mother, 1, actualend=f"{day}T11:00:00Z")
        self.change("th_chat", chat, statecode=1, statuscode=THEMES[theme][1])
        call = self.activity("phonecall", here, mother, 1, th_aard=1, actualend=f"{day}T12:00:00Z", **of_theme)
        about = self.activity("phonecall", ("th_chat", chat), child, 2, th_aard=2, actualend=f"{day}T13:00:00Z")
        mail = self.activity("email", here, child, 2)
        file = base64.b64encode(f"Bijlage {self.word('activitymimeattachment.body')}.".encode()).decode()
        on = {"objectid_email__bind": self.at("email", mail)}
        self.make("activitymimeattachment", mimetype="text/plain", body=file, **on, **self.texts("activitymimeattachment"))
        for who, place, role in ((child, here, 746000000), (mother, ("th_chat", chat), 746000002)):
            bound = {"th_PersoonId__bind": self.at("contact", who), f"th_BetreftId_{place[0]}__bind": self.at(*place)}
            self.make("th_betrokkene", th_rol=role, **bound, **(self.texts("th_betrokkene") if who == child else {}))
        self.connect(self.role, here, mother)
        self.pair(("th_chat", chat), "th_chat_contact", ("contact", child))
        on = {"th_ZaakId__bind": self.at(*here)}
        before = self.make("th_bezoek", th_op=day, **on, **self.texts("th_bezoek"))
        visit, seen = self.visit(case, day, th_VorigId__bind=self.at("th_bezoek", before))
        self.change("th_waarneming", seen, **{"th_WieId@odata.bind": self.at("contact", mother)})
        self.make("th_afspraak", th_BijId_incident__bind=self.at(*here), **self.texts("th_afspraak"))
        self.make("th_afspraak", th_BijId_th_chat__bind=self.at("th_chat", chat), **self.texts("th_afspraak"))
        self.make("task", regardingobjectid_th_bezoek_task__bind=self.at("th_bezoek", visit), **self.texts("task"))
        self.make("appointment", regardingobjectid_incident_appointment__bind=self.at(*here), **self.texts("appointment"))
        for table, row in (here, ("th_chat", chat), ("phonecall", call), ("phonecall", about), ("th_waarneming", seen)):
            self.note(table, row)
        for table, row, column in (
            *((*here, column) for column in ("th_brief", "th_foto")),
            ("th_chat", chat, "th_bestand"),
            *(("th_waarneming", seen, column) for column in ("th_foto", "th_scan", "th_tweede")),
        ):
            self.file(table, row, column)
        for root, library in zip(self.roots, self.libraries, strict=True):
            self.location(case[:8], (LOCATION, root), here)
            library.put(f"{case[:8]}/{self.word('document name')}.txt", f"Met {self.word('document')}.".encode())
        if closed:
            self.change("incident", case, th_beeindigd=day)
            told = {name: self.word(f"incidentresolution.{name}") for name in ("subject", "description")}
            resolution = {**told, "incidentid@odata.bind": self.at(*here)}
            answer = self.http.post(self.emulator.url + "CloseIncident", json={"IncidentResolution": resolution, "Status": 5})
            assert answer.status_code == 204, answer.text
        return case


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(environment=ENVIRONMENT, token=TOKEN, state=tmp_path / "crm.db") as emulator:
        made = House(emulator)
        yield made
        made.close()


def test_from_nothing_to_an_answer_and_a_disposal(house: House, typist_at: Callable[..., Typist], tmp_path: Path) -> None:
    gone = house.story(
        house.child("Lotte", "Zandstra", "2000-02-01"), house.person("Mina", "Verstraeten"), "Sociale kaart", "2020-01-10", closed=True
    )
    of_old = dict(house.words)
    young = house.child("Finn", "Peeters", "2008-03-01")
    kept = house.story(young, house.person("Els", "Maes"), "Weglopen", "2026-09-10", closed=False)
    of_young = {word: place for word, place in house.words.items() if word not in of_old}

    before = len(house.words)
    open_case = house.make("incident", casetypecode=2, th_gestart="2021-04-01", th_bewaren=False, title="Loopt nog")
    house.visit(open_case, "2021-04-06")
    of_visit = dict([*house.words.items()][before:])
    typist = typist_at(house.emulator.url)
    mapping, schedule = tmp_path / "mapping.yaml", tmp_path / "policy.yaml"
    schedule.write_text(policy_text(Settings())[0].replace("\ncategories:\n", f"\ncategories:\n{indent(VISITS, '  ')}", 1), "utf-8")
    typist.set(SHAREPOINT_SITES=",".join(SITES), GRAPH_URL=f"{house.emulator.root}/v1.0/", POLICY=str(schedule))
    assert typist.type("mapping", "draft", "--output", mapping).code == 0
    mapping.write_text(answered(mapping.read_text("utf-8")), "utf-8")
    typist.set(MAPPING=str(mapping))
    assert typist.type("mapping", "statistics-table", "--create").code == 0
    undecided = mapping.with_name("undecided.yaml")
    undecided.write_text(FAMILY.sub("", mapping.read_text("utf-8")), "utf-8")
    typist.set(MAPPING=str(undecided))
    (family,) = [each for each in json.loads(typist.type("datamap", "--json").out) if each["column"] == "th_gezinid"]
    assert (family["fate"], family["why"].split("; ")[1]) == (
        "unaccounted",
        "rows of th_gezin to which it points stay, and are not searched",
    )
    typist.set(MAPPING=str(mapping))
    said = typist.type("mapping", "check", mapping, "--json")
    assert (said.code, said.document["problems"]) == (0, []), "one round is enough"
    assert [each for each in typist.ask("datamap") if each["fate"] == "unaccounted" and each["rows"] != 0] == []
    narrowed_is_refused(typist, mapping)

    assert unfound(typist, young, of_young) == set()
    done = disposed(typist)
    # Of two visits that are units the one that points to the other goes first.
    assert (done["state"], done["skipped"], done["documents"]) == ("done", {}, len(SITES)), done
    assert left_of(of_old | of_visit, tmp_path / "crm.db") == {}, "the visit of a case that stays has gone by its own term"
    assert house.get("incidents", open_case) is not None
    assert [library.item(case[:8]) is None for case in (gone, kept) for library in house.libraries] == [True, True, False, False]
    in_texts = {word for word, place in of_young.items() if not place.startswith(("document", "annotation of", "activitymime"))}
    lost = {of_young[word] for word in in_texts - left_of(of_young, tmp_path / "crm.db").keys()}
    assert lost <= {*PICTURES, "incident.th_foto"}, "nothing of the other child has gone"  # whose pictures are compressed
    only_what_is_new_is_told_as_new(typist, house)


def disposed(typist: Typist) -> dict[str, Any]:
    """Make a plan, have it approved and carry it out."""
    plan = typist.ask("plan")["plan"]
    for who, role in (("ann", "crm_admin"), ("dora", "dpo")):
        typist.type("plans", "approve", plan, "--as", who, "--role", role)
    done: dict[str, Any] = typist.ask("apply", plan)
    return done


def only_what_is_new_is_told_as_new(typist: Typist, house: House) -> None:
    """What changed in the CRM since the data map was made last (R-158)."""
    typist.ask("datamap")
    column = {"@odata.type": "Microsoft.Dynamics.CRM.MemoAttributeMetadata", "SchemaName": "th_Stemming", "MaxLength": 2000}
    address = f"{house.emulator.url}EntityDefinitions(LogicalName='th_chat')/Attributes"
    assert house.http.post(address, json=column).status_code == 204
    new = [(each["table"], each["column"], each["fate"]) for each in typist.ask("datamap") if each["new"]]
    assert new == [("th_chat", "th_stemming", "unaccounted")]


def narrowed_is_refused(typist: Typist, mapping: Path) -> None:
    """A lookup that points to several kinds is mapped for each: else roles in reports, and what belongs to
    them, would neither be known nor be named as not searched."""
    whole = mapping.read_text("utf-8")
    for cut, where, meant in (
        (r" +either: .*\n|        fiche: th_betreftid.*\n", "th_betrokkene.th_betreftid points to a fiche too", "th_betreftid"),
        (r", fiche(?=\]\}  # th_bijid)", "th_afspraak.th_bijid points to ", "fiche"),
    ):
        narrow = mapping.with_name("narrow.yaml")
        narrow.write_text(re.sub(cut, "", whole), "utf-8")
        said = typist.type("mapping", "check", narrow, "--json")
        assert said.code == 3
        problems = [each for each in said.document["problems"] if each["message"].startswith(where)]
        assert {(each["code"], each["suggestion"]) for each in problems} == {("missing", meant)}
        assert problems == said.document["problems"]


def unfound(typist: Typist, contact: str, words: dict[str, str]) -> set[str]:
    """The places of words that the answer does not have, and that are not named as not searched."""
    request, not_searched = matched_with(typist, contact)
    assert typist.ask("requests", "compile", request, *DORA)["answer"] == "package"
    waiting = [each["item"] for each in typist.ask("requests", "review", request) if each["status"] == "PENDING_REVIEW"]
    decisions = typist.folder / "decisions.jsonl"
    decisions.write_text("".join(json.dumps({"item": item, "status": "APPROVED"}) + "\n" for item in waiting), "utf-8")
    typist.ask("requests", "review", request, "--decisions", decisions, *DORA)
    typist.ask("requests", "approve", request, *DORA)
    archive, secret = typist.folder / "package.zip", typist.folder / "passphrase.txt"
    typist.ask("requests", "release", request, *ERIK, "--output", archive, "--passphrase-file", secret)
    files = unpacked(archive, secret)
    assert sum(name.endswith(".png") for name in files) == len(PICTURES)
    told = "".join(content.decode("latin-1") for content in files.values()) + pdf_text(files["letter.pdf"])
    named = {*not_searched}

    def is_named(place: str) -> bool:
        table, _, column = place.partition(".")
        kinds = {"incident": "dossier", "th_chat": "fiche"}
        return bool(named & {f"table:{table}", f"column:{kinds.get(table, table)}.{column}"})

    missing = {place for word, place in words.items() if word not in told and not is_named(place)}
    return {place for place in missing - PICTURES if not AS_LABELS.fullmatch(place)}
