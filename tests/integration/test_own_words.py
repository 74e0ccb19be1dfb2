"""A second organisation from end to end, with files of its own and not one word of the first one.

Everybody in it is fictitious.
"""

import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import pyzipper

from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.console.access.sessions import Sessions
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from crm_compliance.wiring.clock import clock_of
from crm_compliance.wiring.store import store_of
from rules.model.roles import Role
from tests.connectors.channels.receiver import receiving
from tests.crm_compliance.answer_package.pages import text_of
from tests.crm_compliance.console.browser import Browser, client_of
from tests.crm_compliance.console.walk import walk
from tests.drivers.asking import RECEIVED
from tests.drivers.organisation import TOKEN, Organisation
from tests.drivers.typed import Said
from tests.drivers.typist import DORA, ERIK, Typist
from tests.known_definitions import KNOWN

DATA = Path(__file__).parents[1] / "data"
BULLIED, REFERRED = 912340010, 912340020
OWN_SUBJECTS = {"sexting": "pesten", "social_card": "doorverwezen"}  # the others have no name of their own

# What only the first organisation says, of itself and in its own words, in any of its languages. Its number
# stands alone, for the same digits come up by chance in digests and in parts of a second.
OF_THE_FIRST = re.compile(
    r"(?<![\w.])116 ?000\b|child ?focus|houba|strooper"
    r"|apd-gba|gegevensbeschermingsautoriteit|autorité de protection des données|datenschutzbehörde"
    r"|data protection authority|drukpersstraat|rue de la presse|consulent|consultante|case manager|einer beraterin"
    r"|vermist|vermissing|verdwijning|verdwenen (?:kind|pers)|enfants? disparu|porté disparu|disparition|verschw[iu]nd"
    r"|missing (?:child|or|person)|disappearance"
    r"|uitgebuit|uitbuiting|exploitée|exploités|ausgebeutet|ausbeutung|exploited|academy"
    r"|sociale kaart|carte sociale|social card|sozialkarte"
    r"|noodnummer|numéro d’urgence|notrufnummer|emergency|burgerlijke partij|partie civile|zivilpartei|civil party"
    r"|gratis naar|c’est gratuit. tu peux|kostenlos die|free, day"
    r"|rijksregister|registre national|nationalregister|national register number|itsme"
    r"|bruss|bruxelles|brüssel|belgi|belge",
    re.IGNORECASE,
)
# What the page of rules says of the country for whose numbers there is a check of our own is true for all.
OF_A_COUNTRY = re.compile(r"(?:In|En) (?:België|Belgium|Belgique)(?= elf| eleven| onze| volgen| they|, ils)")
# And what it calls its files, in what people get who ask.
ITS_FILES = re.compile(r"\bfiches?\b|\bdossiers?\b|\bakten?\b|\bcase files?\b", re.IGNORECASE)


class Office(Organisation):
    """The second organisation: its CRM, and somebody who types commands there and keeps all that comes of
    them."""

    def __init__(self, emulator: RunningEmulator, typist: Typist) -> None:
        super().__init__(emulator, seed=11)
        self.typist = typist
        self.said: dict[str, str] = {}

    def pupil(self, first: str, last: str, born: str) -> str:
        return self.create("contacts", "contactid", firstname=first, lastname=f"{last} (fictief)", birthdate=f"{born}T11:00:00Z")

    def case(self, subject: int, pupil: str, day: str, *, closed: bool, told: str = "") -> str:
        row = self.create("kt_zaken", "kt_zaakid", kt_nummer="K-7", kt_geopend=day, kt_onderwerp=subject, kt_verslag="Verzonnen.")
        in_case = {"kt_Zaak@odata.bind": f"/kt_zaken({row})"}
        sheet = {"kt_moment": f"{day}T12:00:00Z", "kt_onderwerp": subject, "kt_verslag": "Verzonnen gesprek."}
        if told:
            sheet |= {"kt_ontvanger": told, "kt_ontvangerland": "NL", "kt_doorgegeven": f"{day}T12:00:00Z"}
        self.create("kt_meldingen", "kt_meldingid", kt_nummer="G-1", **sheet, **in_case)
        self.create(
            "kt_betrokkenen", "kt_betrokkeneid", kt_naam="leerling", kt_rol=912340001, **in_case,
            **{"kt_Persoon@odata.bind": f"/contacts({pupil})"},
        )  # fmt: skip
        if closed:
            self.patch("kt_zaken", row, statecode=1, statuscode=2)
        return row

    def type(self, *words: object, code: int = 0) -> Said:
        """Type a command; what it says is kept."""
        said = self.typist.type(*words)
        assert said.code == code, (words, said)
        self.said[" ".join(map(str, words))] = said.out + said.err
        return said

    def ask(self, *words: object) -> Any:
        return self.type(*words, "--json").document


@pytest.fixture
def office(typist_at: Callable[..., Typist], tmp_path: Path) -> Iterator[Office]:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        re.sub(
            r"(9123400\d\d): ([a-z_]+)",
            lambda found: (
                f"{found[1]}: {OWN_SUBJECTS.get(found[2], f'onderwerp_{found[1][-2:]}')}"
                if found[2] not in ("suspect", "child", "parent", "guardian", "reporter", "witness", "professional", "other", "x")
                else found[0]
            ),
            (DATA / "second-mapping.yaml").read_text(encoding="utf-8"),
        ),
        encoding="utf-8",
    )
    with running(environment=DATA / "second-environment.yaml", token=TOKEN) as emulator, KNOWN.of(emulator, TOKEN):
        typist = typist_at(
            emulator.url, MAPPING=str(mapping), POLICY=str(DATA / "second-policy.yaml"), ORGANISATION=str(DATA / "second-organisation.yaml")
        )
        found = Office(emulator, typist)
        yield found
        found.close()


def texts_in(path: Path, content: bytes, passphrases: list[bytes]) -> Iterator[tuple[str, str]]:
    """Every text of a file, those that lie packed in it among them."""
    name = path.as_posix()
    if name.endswith(".pdf"):
        yield name, text_of(content)
    elif content[:4] == b"PK\x03\x04":
        with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
            for part in archive.namelist():
                yield from texts_in(Path(f"{name}!{part}"), _opened(archive, part, passphrases), passphrases)
    else:
        yield name, content.decode("utf-8", "replace")


def _opened(archive: pyzipper.AESZipFile, part: str, passphrases: list[bytes]) -> bytes:
    for passphrase in (None, *passphrases):
        try:
            content: bytes = archive.read(part, pwd=passphrase)
        except (RuntimeError, zlib.error, pyzipper.BadZipFile):  # of wrong passphrases one in 65,536 looks right at first
            continue
        return content
    raise AssertionError(f"nothing opens {part}")


def the_nights(office: Office, out: Path) -> None:
    plan = office.ask(
        "plan", *(word for suffix in ("jsonl", "json", "csv", "xlsx", "html") for word in ("--output", out / f"plan.{suffix}"))
    )
    assert plan["dispose"] == {"delete": 3, "anonymise": 1}
    office.type("plans", "list")
    office.type("plans", "show", plan["plan"])
    office.typist.approve_first(plan["plan"])
    run = office.ask("apply", plan["plan"])
    assert (run["state"], run["failed"]) == ("done", 0)
    for words in (("verify", run["run"]), ("history", "list"), ("history", "show", run["run"]), ("ledger", "verify"), ("doctor",)):
        office.type(*words)
        office.ask(*words)
    office.type("doctor", "--role", out / "role.md")
    office.type("certificate", run["run"], "--output", out / "certificate.json")
    office.type("evidence", "--output", out / "evidence.zip")
    office.type("statistics", "export", "--output", out / "figures.xlsx")
    office.type("history", "export", "--output", out / "history.jsonl")
    office.type("policy", "show")
    office.type("policy", "check")
    office.type("policy", "review", "--output", out / "review.html")
    for job in ("requests", "housekeeping", "retention"):
        office.type("run", job)


def opened(office: Office, out: Path, name: str, language: str, pupil: str, born: str, right: str) -> str:
    """A request up to its review."""
    form = {
        "right": right, "requester_kind": "child", "received_at": RECEIVED, "channel": "form", "language": language,
        "given": {"firstname": name, "lastname": "Verzonnen", "birthdate": born, "nationalnumbers": [], "phones": [], "emails": []},
        "on_behalf_of": None,
    }  # fmt: skip
    path = out / f"{name}-{language}.form.json"
    path.write_text(json.dumps(form), encoding="utf-8")
    request: str = office.ask("requests", "open", path)["request"]
    office.type("requests", "identify", request, "--method", "eid", *DORA)
    found = [each["candidate"] for each in office.ask("requests", "match", request)["candidates"] if each["id"] == pupil]
    office.type("requests", "confirm", request, *(found or ("--none",)), *DORA)
    office.type("requests", "compile", request, "--plain-folder", out / f"{name}-{language}-copy", *DORA)
    return request


def asked(office: Office, out: Path, name: str, language: str, pupil: str, born: str, right: str) -> str:
    """A request up to its release."""
    request = opened(office, out, name, language, pupil, born, right)
    if right != "access":
        office.type("requests", "decide", request, "--grant", *DORA)
    else:
        waiting = [item["item"] for item in office.ask("requests", "review", request) if item["status"] == "PENDING_REVIEW"]
        decisions = out / f"{request}.decisions.jsonl"
        decisions.write_text("".join(json.dumps({"item": item, "status": "APPROVED"}) + "\n" for item in waiting), encoding="utf-8")
        office.type("requests", "review", request, "--output", out / f"{request}.review.html", *DORA)
        office.type("requests", "review", request, "--decisions", decisions, *DORA)
    office.type("requests", "approve", request, *DORA)
    office.type(
        "requests",
        "release",
        request,
        "--output",
        out / f"{name}-{language}.zip",
        "--passphrase-file",
        out / f"{name}-{language}.pass",
        *ERIK,
    )
    return request


def pages_of(office: Office, language: str, role: Role) -> Iterator[tuple[str, str]]:
    """Every kind of page to which a click leads, and every answer of the interface that needs no id."""
    settings = office.typist.settings
    clock = clock_of(settings)
    with store_of(settings, clock) as store:
        sessions = Sessions(store.sessions, timedelta(minutes=30), timedelta(hours=10))
        app = app_of(Downloads(store, clock), console=routes(Services(settings, store, clock, sessions)))
        for kind, text in walk(Browser(app, language).sign_in(role)).texts.items():
            yield f"{language} {kind}", text
        who = next(person.who for person in DEMO_PEOPLE if person.role is role)
        script = client_of(app, headers={"Authorization": f"Bearer {who}"})
        described = script.get("/api/v1/openapi.json")
        yield "openapi", described.text
        for path in (path for path, ways in described.json()["paths"].items() if "get" in ways and "{" not in path):
            answer = script.get(f"/api/v1{path}")
            assert answer.status_code in (200, 403, 404, 422), (path, answer.text)
            yield f"api {path}", answer.text


def told_on_a_channel(office: Office, out: Path) -> Iterator[tuple[str, str]]:
    """What an alert says, in each language in which there are any."""
    file, languages = out.parent / "alerts.yaml", ("nl", "fr", "en")
    with receiving() as receiver:
        channels = "".join(f'  {each}: {{type: webhook, url: "{receiver.url}/{each}", language: {each}}}\n' for each in languages)
        file.write_text(f"channels:\n{channels}routes:\n  - {{channels: [{', '.join(languages)}]}}\n", encoding="utf-8")
        office.typist.set(ALERTS=str(file))
        office.type("alerts", "test")
        office.type("alerts", "list")
        assert len(receiver.sent) == len(languages)
        yield from ((f"alert {each.path}", each.body.decode()) for each in receiver.sent)


def said_anywhere(office: Office, out: Path) -> dict[str, str]:
    """Every text that came of what was typed: files, parts of files, and what was said on the terminal."""
    passphrases = [path.read_bytes() for path in out.glob("*.pass")]
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    return dict(each for path in files for each in texts_in(path.relative_to(out), path.read_bytes(), passphrases)) | office.said


def words_of_the_first(texts: dict[str, str]) -> dict[str, list[str]]:
    told = {name: sorted({hit[0] for hit in OF_THE_FIRST.finditer(OF_A_COUNTRY.sub("", text))}) for name, text in texts.items()}
    return {name: hits for name, hits in told.items() if hits}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_the_nights_of_a_second_organisation_say_nothing_of_the_first(office: Office, out: Path) -> None:
    """Plans, runs, proofs and figures, for people and for programs; by a clock that is not the first's."""
    schedule = out.parent / "policy.yaml"
    text = (DATA / "second-policy.yaml").read_text(encoding="utf-8")
    schedule.write_text(text.replace("Europe/Amsterdam", "Europe/Lisbon"), encoding="utf-8")
    office.typist.set(POLICY=str(schedule))
    office.case(REFERRED, office.pupil("Weg", "Wijzer", "2003-01-01"), "2020-01-10", closed=True)
    office.case(BULLIED, office.pupil("Oude", "Zaak", "2000-02-01"), "2020-01-10", closed=True)
    office.case(BULLIED, office.pupil("Noor", "Verzonnen", "2012-05-04"), "2026-11-02", closed=False)
    the_nights(office, out)
    texts = said_anywhere(office, out)
    assert words_of_the_first(texts) == {}
    assert "Lisbon time" in texts["plan.html"]
    page = seen_in(texts["plan.html"])
    assert ("Folder" in page, "kt_zaak" in page) == (True, False), "kinds of units"
    assert re.search(r"^Started +\n\(Lisbon\) ", texts["history list"], re.MULTILINE)


def test_the_pages_and_messages_of_a_second_organisation_say_nothing_of_the_first(office: Office, out: Path) -> None:
    """Console, interface for scripts and alerts, after a night and with an answer under review."""
    pupil = office.pupil("Noor", "Verzonnen", "2012-05-04")
    office.case(REFERRED, office.pupil("Weg", "Wijzer", "2003-01-01"), "2020-01-10", closed=True)
    office.case(BULLIED, pupil, "2026-11-02", closed=False)
    office.ask("datamap")
    plan = office.ask("plan")["plan"]
    office.typist.approve_first(plan)
    office.ask("apply", plan)
    office.case(BULLIED, office.pupil("Oude", "Zaak", "2000-02-01"), "2020-01-10", closed=True)
    office.ask("plan")
    opened(office, out, "Noor", "nl", pupil, "2012-05-04", "access")
    texts = dict(told_on_a_channel(office, out))
    for language, role in (("nl", Role.DPO), ("fr", Role.DPO), ("en", Role.CRM_ADMIN), ("en", Role.AUDITOR)):
        texts |= {f"{role.value} {name}": text for name, text in pages_of(office, language, role)}
    assert len(texts) > 80
    assert words_of_the_first(texts | office.said) == {}
    in_english = {name: seen_in(text) for name, text in texts.items() if " en /" in name and not name.endswith(("/datamap", "/rules"))}
    assert {name: hits for name, text in in_english.items() if (hits := re.findall(r"\b(?:dossier|fiche)s?\b", text, re.IGNORECASE))} == {}
    for who, language, one, several in (
        ("dpo", "nl", "Map", "Mappen"),
        ("dpo", "fr", "Chemise", "Chemises"),
        ("auditor", "en", "Folder", "Folders"),
    ):
        assert {one} <= set(re.findall(r"\w+", seen_in(texts[f"{who} {language} /plans/ID/kinds"]))), "the kinds of units"
        assert several in texts[f"{who} {language} /history/ID"], "what was deleted"
    review = seen_in(texts["dpo nl /requests/ID/review"])
    assert [kind for kind in ("Gespreksblad (", "Plaats in een map (") if kind not in review] == []
    assert "kt_" not in seen_in(texts["dpo nl /plans/ID/lines"]) + seen_in(texts["dpo nl /plans/ID"])


def seen_in(page: str) -> str:
    """What somebody reads on a page, but for what is set as code."""
    return unescape(re.sub(r"<[^>]+>", " | ", re.sub(r"<(script|style|code)\b.*?</\1>", "", page, flags=re.DOTALL)))


@pytest.mark.parametrize(
    ("language", "own"), [("nl", "Gespreksblad"), ("fr", "Feuille d’entretien"), ("de", "Gesprächsblatt"), ("en", "Talk sheet")]
)
def test_a_second_organisation_answers_in_its_own_words_alone(office: Office, out: Path, language: str, own: str) -> None:
    """From the receipt to the released package, the page for a child and the notice to a recipient."""
    minor, grown = office.pupil("Noor", "Verzonnen", "2012-05-04"), office.pupil("Sam", "Verzonnen", "2004-03-02")
    for pupil in (minor, grown):
        office.case(BULLIED, pupil, "2026-11-02", closed=False, told="School Verzonnen (fictief)")
    asked(office, out, "Noor", language, minor, "2012-05-04", "access")
    asked(office, out, "Niemand", language, "", "2011-01-01", "access")
    erased = asked(office, out, "Sam", language, grown, "2004-03-02", "erasure")
    office.type("requests", "calendar", "--output", out / "due.ics")
    office.type("requests", "list")
    office.type("requests", "show", erased, *DORA)
    office.type("requests", "notices", erased, "--output", out / "notices", "--language", language, *DORA)

    texts = said_anywhere(office, out)
    assert words_of_the_first(texts) == {}
    answers = {name: text for name, text in texts.items() if re.search(r"letter\.pdf|index\.html|message\.txt|notice-\d", name)}
    assert len([name for name in answers if name.endswith("letter.pdf")]) == 2 * 3
    assert any("notice-" in name for name in answers)
    assert {name: sorted({hit[0] for hit in ITS_FILES.finditer(text)}) for name, text in answers.items() if ITS_FILES.search(text)} == {}
    letter = texts[f"Noor-{language}.zip!letter.pdf"]
    assert [word for word in (own, "De Kaartentafel (fictief)", "0800 0000") if word not in letter] == []
