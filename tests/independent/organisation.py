"""An organisation in the making: its rows, drawn by chance from a seed. Every person in it is invented."""

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from tests.independent.civil import add_months, add_years, days, instant_on
from tests.independent.numbers import make_number
from tests.independent.wire import IDS, SETS, WebApi

Columns = dict[str, Any]
BASE = 100_000_000
SENTINEL_DAYS = ("1753-01-01", "1900-01-01", "9999-12-31")
SIX = (0, 1)
EIGHTEEN = (10, 11, 12, 20, 21, 22, 23)
NOT_CONFIGURED = (40, 41, 42, 43, 44, 50, 51)
CHILD, PARENT, GUARDIAN, REPORTER, WITNESS, SUSPECT, PROFESSIONAL, OTHER = range(8)
POSTCODES = ("1000", "1300", "1500", "2000", "2999", "3000", "3500", "4000", "5000", "6599", "6600", "7000", "8000", "9000", "9999", None)
PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
).decode()
SYLLABLES = (
    "ba",
    "be",
    "bo",
    "da",
    "do",
    "fi",
    "ga",
    "ko",
    "la",
    "lo",
    "mi",
    "mo",
    "na",
    "no",
    "pe",
    "ra",
    "ro",
    "sa",
    "ti",
    "vo",
    "wa",
    "zi",
)


@dataclass
class Canary:
    """A value that names somebody or something, and the row (and column) that holds it."""

    value: str
    table: str
    row_id: str
    column: str


@dataclass
class Organisation:
    """The rows to load, in order, and what to look for afterwards."""

    rng: Random
    day: date
    storage: Path
    creates: list[tuple[str, Columns]] = field(default_factory=list)
    changes: list[tuple[str, str, Columns]] = field(default_factory=list)
    uploads: list[tuple[str, str, bytes]] = field(default_factory=list)
    canaries: list[Canary] = field(default_factory=list)
    objects: dict[str, Path] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    recipe: str = ""
    counter: int = 0
    without: frozenset[str] = frozenset()  # traps to leave out: "objects" in external storage, or the name of a recipe

    # -- drawing ---------------------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def token(self) -> str:
        """A word that is nowhere else."""
        self.counter += 1
        number, word = self.counter * 7 + 22**5, ""
        while number:
            number, rest = divmod(number, len(SYLLABLES))
            word += SYLLABLES[rest]
        return word

    def moment(self, day: date) -> str:
        """An instant of a Brussels day, often close to its edges, where the UTC date is another one."""
        clock = self.rng.choice(
            ((0, 0, 0), (0, 30, 0), (1, 59, 59), (3, 15, 0), (12, 0, 0), (14, 45, 10), (21, 59, 59), (23, 30, 0), (23, 59, 59))
        )
        return instant_on(day, *clock)

    def past(self, most: int = 3000, least: int = 5) -> date:
        return self.day - days(self.rng.randint(least, most))

    def near_six_months(self) -> date:
        """A day whose six months end around the evaluation day."""
        return add_months(self.day, -6) + days(self.rng.randint(-4, 4))

    def near_birthday(self, age: int) -> date:
        return add_years(self.day, -age) + days(self.rng.randint(-2, 2))

    # -- rows ------------------------------------------------------------------------------------------------

    def add(self, table: str, columns: Columns, row_id: str | None = None) -> str:
        row_id = row_id or self.new_id()
        columns.setdefault("overriddencreatedon", self.moment(self.past(900, 220)))
        self.creates.append((table, {IDS[table]: row_id, **{k: v for k, v in columns.items() if v is not None}}))
        self.origin[row_id] = self.recipe
        return row_id

    def text(self, table: str, row_id: str, column: str, words: str = "Verzonnen tekst") -> str:
        value = self.token()
        self.canaries.append(Canary(value, table, row_id, column))
        return f"{words} {value} (fictief)"

    def close(self, table: str, row_id: str) -> None:
        self.changes.append((table, row_id, {"statecode": 1, "statuscode": 2}))

    def contact(self, **columns: Any) -> str:
        row_id = self.new_id()
        first, last = self.token(), self.token()
        digits = f"{470_000_000 + self.rng.randrange(30_000_000)}"
        mail = f"{first}.{last}@example.org"
        phone = self.rng.choice((f"+32{digits}", f"0{digits[:3]}/{digits[3:5]}.{digits[5:7]}.{digits[7:]}"))
        given: Columns = {
            "firstname": first.title(),
            "lastname": f"{last.title()} (fictief)",
            "emailaddress1": mail if self.chance(0.8) else None,
            "mobilephone": phone,
            "address1_line1": self.text("contact", row_id, "address1_line1", "Straat"),
            "address1_postalcode": self.rng.choice(POSTCODES),
            "address1_country": "België",
            "gendercode": self.rng.choice((1, 2, 3, None)),
            "description": self.text("contact", row_id, "description") if self.chance(0.5) else None,
            "entityimage": PNG if self.chance(0.1) else None,
            "cf_birthplace": self.text("contact", row_id, "cf_birthplace", "Geboren te") if self.chance(0.3) else None,
            "cf_language": BASE + self.rng.randrange(4),
        } | columns
        for value, column in ((first, "firstname"), (last, "lastname"), (mail, "emailaddress1"), (phone, "mobilephone")):
            self.canaries.append(Canary(value, "contact", row_id, column))
        if given.get("cf_nationalnumber"):
            self.canaries.append(Canary(given["cf_nationalnumber"], "contact", row_id, "cf_nationalnumber"))
            self.canaries.append(
                Canary("".join(c for c in given["cf_nationalnumber"] if c.isdigit()), "contact", row_id, "cf_nationalnumber")
            )
        if self.chance(0.05):
            self.close("contact", row_id)
        return self.add("contact", given, row_id)

    def number(self, born: date, **more: Any) -> str | None:
        """A register number that no other contact of the organisation has."""
        for serial in (997, 998):
            made = make_number(born, serial, **more)
            if made not in self.numbers:
                self.numbers.add(made)
                return made
        return None

    def person(self) -> str:
        """Somebody with a role: often new, sometimes an old acquaintance; with relations of their own."""
        if self.people and self.chance(0.25):
            return self.rng.choice(self.people[-60:])
        born = add_years(self.day, -self.rng.randint(19, 70)) - days(self.rng.randint(0, 364))
        columns: Columns = {}
        if self.chance(0.5):
            columns["birthdate"] = born.isoformat()
        if self.chance(0.2):
            columns["cf_nationalnumber"] = self.number(born)
        row_id = self.contact(**columns)
        self.people.append(row_id)
        self.relations(row_id, 0.35)
        return row_id

    def relations(self, contact: str, share: float) -> None:
        if not self.chance(share):
            return
        kind = self.rng.randrange(8)
        link = {"cf_ContactId@odata.bind": f"contacts({contact})"}
        if kind in (0, 7):
            donation = self.new_id()
            iban = self.text("cf_donation", donation, "cf_iban", "BE")[:34]
            self.add(
                "cf_donation",
                {"cf_name": "gift", "cf_amount": 25.5, "cf_bookedon": self.moment(self.past()), "cf_iban": iban, **link},
                donation,
            )
        elif kind == 1:
            self.add("cf_enrolment", {"cf_name": "inschrijving", "cf_course": "Academy", "cf_heldon": self.past().isoformat(), **link})
        elif kind == 2:
            self.add("cf_engagement", {"cf_name": "vrijwilliger", "cf_kind": BASE, "cf_startedon": self.past().isoformat(), **link})
        elif kind == 3:
            over = (self.day + days(self.rng.randint(1, 50))).isoformat()
            self.add(
                "cf_engagement",
                {"cf_name": "stage", "cf_kind": BASE + 1, "cf_startedon": self.past().isoformat(), "cf_endedon": over, **link},
            )
        elif kind == 4:
            over = self.past(800, 1).isoformat()
            self.add("cf_engagement", {"cf_name": "werk", "cf_kind": BASE + 2, "cf_startedon": "2010-01-01", "cf_endedon": over, **link})
        elif kind == 5:
            self.changes.append(("contact", contact, {"cf_newsletter": True, "cf_newsletterconsenton": "2021-05-05"}))
        else:
            account = self.add("account", {"name": f"Organisatie {self.token()} (fictief)"})
            self.changes.append(("contact", contact, {"parentcustomerid_account@odata.bind": f"accounts({account})"}))

    def child(self, born: date | None = None, **columns: Any) -> str:
        if born:
            columns.setdefault("birthdate", born.isoformat())
        row_id = self.contact(**columns)
        self.children.append(row_id)
        return row_id

    def party(self, contact: str | None, role: int, *, dossier: str | None = None, fiche: str | None = None) -> str:
        row_id = self.new_id()
        columns: Columns = {"cf_name": self.text("cf_party", row_id, "cf_name", "Rol"), "cf_role": BASE + role}
        if self.chance(0.3):
            columns["cf_notes"] = self.text("cf_party", row_id, "cf_notes")
        if contact:
            columns["cf_ContactId@odata.bind"] = f"contacts({contact})"
        if dossier:
            columns["cf_DossierId@odata.bind"] = f"cf_dossiers({dossier})"
        if fiche:
            columns["cf_FicheId@odata.bind"] = f"cf_fiches({fiche})"
        self.add("cf_party", columns, row_id)
        if self.chance(0.15):
            self.close("cf_party", row_id)
        return row_id

    def dossier(
        self,
        categories: Sequence[int],
        *,
        fiches: Sequence[tuple[date | str | None, Sequence[int]]] = (),
        closed: bool = True,
        **columns: Any,
    ) -> tuple[str, list[str]]:
        """A dossier with its fiches: each a day (or a raw instant, or None) and its categories."""
        row_id = self.new_id()
        given: Columns = {
            "cf_name": self.text("cf_dossier", row_id, "cf_name", "D"),
            "cf_openedon": self.moment(self.past(4000, 250)),
            "cf_categories": joined(categories),
            "cf_summary": self.text("cf_dossier", row_id, "cf_summary"),
            "cf_publicalert": True if self.chance(0.05) else self.rng.choice((False, None)),
            "cf_courtreference": self.text("cf_dossier", row_id, "cf_courtreference", "AR") if self.chance(0.2) else None,
        } | columns
        self.add("cf_dossier", given, row_id)
        made = [self.fiche(day, own, dossier=row_id) for day, own in fiches]
        if closed:
            self.close("cf_dossier", row_id)
        return row_id, made

    def fiche(self, spoken: date | str | None, categories: Sequence[int], *, dossier: str | None = None, **columns: Any) -> str:
        row_id = self.new_id()
        given: Columns = {
            "cf_name": self.text("cf_fiche", row_id, "cf_name", "F"),
            "cf_communicatedon": self.moment(spoken) if isinstance(spoken, date) else spoken,
            "cf_channel": BASE + self.rng.randrange(7),
            "cf_reporterkind": BASE + self.rng.randrange(4),
            "cf_language": BASE + self.rng.randrange(4),
            "cf_categories": joined(categories),
            "cf_summary": self.text("cf_fiche", row_id, "cf_summary"),
            "cf_calleremail": f"{self.text('cf_fiche', row_id, 'cf_calleremail').split()[2]}@example.org" if self.chance(0.3) else None,
        } | columns
        if dossier:
            given["cf_DossierId@odata.bind"] = f"cf_dossiers({dossier})"
        if self.chance(0.1):
            self.close("cf_fiche", row_id)  # an inactive fiche counts like an active one
        return self.add("cf_fiche", given, row_id)

    def recording(self, ended: date | str | None, *, fiche: str | None = None, started: date | str | None = None, **columns: Any) -> str:
        row_id = self.new_id()
        given: Columns = {
            "cf_name": "Gesprek",
            "cf_channel": BASE + self.rng.randrange(2),
            "cf_startedon": self.moment(started) if isinstance(started, date) else started,
            "cf_endedon": self.moment(ended) if isinstance(ended, date) else ended,
            "cf_takenover": self.rng.choice((True, False, None)),
            "cf_transcript": self.text("cf_recording", row_id, "cf_transcript") if self.chance(0.5) else None,
            "cf_callernumber": self.text("cf_recording", row_id, "cf_callernumber", "0470")[:50] if self.chance(0.5) else None,
        } | columns
        if fiche:
            given["cf_FicheId@odata.bind"] = f"cf_fiches({fiche})"
        if "objects" not in self.without and "cf_storageuri" not in given and self.chance(0.3):
            path = self.storage / f"gesprek {len(self.objects)}.wav"
            path.write_bytes(b"RIFF verzonnen")
            self.objects[row_id] = path
            given["cf_storageuri"] = path.as_uri()
        self.add("cf_recording", given, row_id)
        if self.chance(0.1):
            self.uploads.append((f"cf_recordings({row_id})/cf_media", "gesprek.mp3", b"ID3 verzonnen"))
        if self.chance(0.2):
            self.note("cf_recording", row_id)
        return row_id

    def note(self, table: str, row_id: str, *, mimetype: str | None = None, filename: str | None = None) -> str:
        note = self.new_id()
        columns: Columns = {
            "subject": self.text("annotation", note, "subject", "Notitie"),
            "notetext": self.text("annotation", note, "notetext"),
            f"objectid_{table}@odata.bind": f"{SETS[table]}({row_id})",
        }
        if mimetype:
            hidden = self.text("annotation", note, "documentbody")
            columns |= {
                "mimetype": mimetype,
                "filename": filename or "bijlage.bin",
                "documentbody": base64.b64encode(hidden.encode()).decode(),
            }
        return self.add("annotation", columns, note)

    def activity(self, table: str, about: tuple[str, str] | None, who: Sequence[str | None], day: date | None = None) -> str:
        row_id = self.new_id()
        parties: list[Columns] = []
        for position, contact in enumerate(who):
            row: Columns = {"participationtypemask": 1 if position == 0 else 2}
            if contact:
                row["partyid_contact@odata.bind"] = f"contacts({contact})"
            else:
                unknown = self.text("activityparty", row_id, "addressused").split()[2]
                row["addressused"] = f"{unknown}@example.org"
            parties.append(row)
        columns: Columns = {
            "subject": self.text(table, row_id, "subject", "Betreft"),
            "description": self.text(table, row_id, "description"),
            f"{table}_activity_parties": parties,
        }
        if table == "email":
            columns["senton"] = self.moment(day or self.past(400))
            columns["torecipients"] = f"{self.text(table, row_id, 'torecipients').split()[2]}@example.org"
        else:
            columns["actualend"] = self.moment(day or self.past(400))
            columns["phonenumber"] = self.text(table, row_id, "phonenumber", "0471")
        if about:
            columns[f"regardingobjectid_{about[0]}_{table}@odata.bind"] = f"{SETS[about[0]]}({about[1]})"
        if self.chance(0.5):
            self.changes.append((table, row_id, {"statecode": 1}))
        return self.add(table, columns, row_id)

    # -- what depends on a unit ------------------------------------------------------------------------------

    def surround(self, dossier: str | None, fiches: list[str]) -> None:
        """Roles, notes, calls, e-mails, recordings and attachments on a unit."""
        around: list[str] = []
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            contact = self.person()
            around.append(contact)
            role = self.rng.choice((PARENT, GUARDIAN, REPORTER, WITNESS, SUSPECT, PROFESSIONAL, OTHER))
            on_fiche = not dossier or (bool(fiches) and self.chance(0.4))
            if on_fiche:
                self.party(contact, role, fiche=self.rng.choice(fiches))
            else:
                self.party(contact, role, dossier=dossier)
        places = ([("cf_dossier", dossier)] if dossier else []) + [("cf_fiche", fiche) for fiche in fiches]
        for place in places:
            if self.chance(0.3):
                self.note(*place)
            if self.chance(0.15):
                self.note(*place, mimetype=self.rng.choice(("text/plain", "application/pdf", "video/mp4")))
            for table in ("phonecall", "email"):
                if self.chance(0.15):
                    who: list[str | None] = [self.rng.choice(around) if around and self.chance(0.7) else self.person(), None]
                    self.activity(table, place, who[: self.rng.randint(1, 2)])
        for fiche in fiches:
            if self.chance(0.25):
                ended = self.near_six_months() if self.chance(0.5) else self.past(500)
                self.recording(ended, started=ended, fiche=fiche, cf_evidence=self.rng.choice((True, False, None)))
            if self.chance(0.12):
                media = self.rng.choice(("audio/mpeg", "AUDIO/WAV", "audio/ogg; codecs=opus"))
                self.note("cf_fiche", fiche, mimetype=media, filename="gesprek.mp3")
        for contact in around:
            if self.chance(0.1):
                self.note("contact", contact)
            if self.chance(0.08):
                self.activity(
                    self.rng.choice(("phonecall", "email")), ("contact", contact), [contact, self.person()][: self.rng.randint(1, 2)]
                )
            if self.chance(0.06):
                self.changes.append(("contact", contact, {"parentcustomerid_contact@odata.bind": f"contacts({self.person()})"}))

    # -- loading ---------------------------------------------------------------------------------------------

    def load(self, api: WebApi) -> None:
        order = list(SETS)
        creates = sorted(self.creates, key=lambda pair: order.index(pair[0]))
        # a change of the parent names a contact: all contacts exist before any change
        api.send([("POST", SETS[table], columns) for table, columns in creates])
        api.send([("PATCH", f"{SETS[table]}({row_id})", columns) for table, row_id, columns in self.changes])
        for path, name, body in self.uploads:
            api.upload(path, name, body)


def joined(categories: Sequence[int]) -> str | None:
    return ",".join(str(BASE + c) for c in categories) or None
