"""An organisation full of traps, drawn from a seed. Every person in it is invented."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.independent.civil import add_months, add_years, brussels_day, days, instant_on, last_of_month
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


# -- recipes: each makes one unit with one family of traps ---------------------------------------------------


def six_months(o: Organisation) -> None:
    category = o.rng.choice(((0,), (1,), (0, 1)))
    last = o.near_six_months()
    fiches: list[tuple[date | str | None, Sequence[int]]] = [(last, (o.rng.choice(category),))]
    if o.chance(0.5):
        fiches.append((last - days(o.rng.randint(1, 200)), category))
    columns: Columns = {}
    if o.chance(0.4):
        columns["cf_closedon"] = o.moment(o.day - days(o.rng.randint(0, 30)))  # moves nothing
    if o.chance(0.2):
        columns["cf_reopenedon"] = o.moment(o.near_six_months())
    own = category if o.chance(0.5) else ()
    o.surround(*o.dossier(own, fiches=fiches, closed=o.chance(0.5), **columns))


def six_months_fallback(o: Organisation) -> None:
    """No communication date, or a sentinel in its place: the row's creation counts."""
    row_id = o.new_id()
    o.add("cf_dossier", {"cf_name": o.text("cf_dossier", row_id, "cf_name", "D"), "cf_categories": joined((0,))}, row_id)
    spoken = o.rng.choice((None, "1753-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z"))
    fiche = o.fiche(spoken, (0,), dossier=row_id, overriddencreatedon=o.moment(o.near_six_months()))
    if o.chance(0.3):
        o.fiche(o.near_six_months(), (1,), dossier=row_id)
    o.surround(row_id, [fiche])


def grown_up(o: Organisation) -> None:
    category = (o.rng.choice(EIGHTEEN),)
    born = o.near_birthday(18) if o.chance(0.7) else o.past(9000, 4000)
    spoken = o.day - days(o.rng.randint(200, 3000))
    columns: Columns = {"cf_closedon": o.moment(spoken + days(o.rng.randint(0, 190)))} if o.chance(0.8) else {}
    dossier, fiches = o.dossier(category if o.chance(0.7) else (), fiches=[(spoken, category)], **columns)
    o.party(o.child(born, cf_nationalnumber=o.number(born) if o.chance(0.4) else None), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def twenty_five(o: Organisation) -> None:
    category, outcome = o.rng.choice(((30, None), (30, 4), (30, 0), (31, 1), (31, 2), (31, 4), (32, 2)))
    born = o.near_birthday(25) if o.chance(0.7) else o.past(14000, 4000)
    spoken = o.day - days(o.rng.randint(200, 4000))
    columns: Columns = {"cf_outcome": BASE + outcome if outcome is not None else None, "cf_closedon": o.moment(spoken)}
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,))], **columns)
    if o.chance(0.6):
        o.party(o.child(born), CHILD, dossier=dossier)
    else:
        o.party(o.child(born), CHILD, fiche=fiches[0])
    o.surround(dossier, fiches)


def leap_child(o: Organisation) -> None:
    year = o.day.year - o.rng.choice((18, 25))
    year -= year % 4
    age = o.day.year - year
    category = 30 if age >= 21 else 21
    dossier, fiches = o.dossier((category,), fiches=[(o.day - days(400), (category,))], cf_closedon=o.moment(o.day - days(399)))
    o.party(o.child(date(year, 2, 29)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def late_activity(o: Organisation) -> None:
    """An activity around the age end: on the day itself it changes nothing, one day later it adds six
    months."""
    age, category = o.rng.choice(((18, 21), (18, 11), (25, 30)))
    late = o.near_six_months() if o.chance(0.6) else o.past(700, 10)
    born = add_years(late, -age) + days(o.rng.choice((-1, 0, 0, 1))) if o.chance(0.6) else add_years(late, -age - 3)
    which = o.rng.randrange(4)
    spoken = late if which == 0 else late - days(40)
    columns: Columns = {"cf_closedon": o.moment(late if which in (1, 3) else late - days(20))}
    if which == 2:
        columns["cf_reopenedon"] = o.moment(late)
    # a closing date counts only when the dossier is closed
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,))], closed=which != 3, **columns)
    o.party(o.child(born), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def no_term(o: Organisation) -> None:
    category, outcome = o.rng.choice(
        ((33, None), (33, 1), (33, 2), (33, 4), (31, 0), (31, None), (31, 3), (32, 0), (32, 1), (32, 3), (32, 4), (32, None))
    )
    due = add_months(o.day, -60) + days(o.rng.randint(-1, 1))
    columns: Columns = {"cf_outcome": BASE + outcome if outcome is not None else None}
    if o.chance(0.4):
        columns |= {"cf_openedon": o.moment(o.past(6000, 2500)), "cf_reviewedon": due.isoformat()}
    else:
        columns["cf_openedon"] = o.moment(due)
    categories: tuple[int, ...] = (category,) if o.chance(0.6) else (category, o.rng.choice((0, 2, 21, 30, 31, 32, 40)))
    dossier, fiches = o.dossier(categories, fiches=[(o.past(), (category,))], closed=o.chance(0.7), cf_legalhold=o.chance(0.1), **columns)
    if o.chance(0.6):
        o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def mixed(o: Organisation) -> None:
    """The longest term wins; on equal ends deletion does."""
    ended = add_years(o.day, -5) - days(o.rng.randint(1, 40))
    kind = o.rng.randrange(5)
    columns: Columns = {"cf_closedon": o.moment(o.day - days(1500)), "cf_proceedingsendedon": ended.isoformat()}
    if kind == 0:  # equal ends
        born, categories = add_years(add_years(ended, 5), -18), [2, 21]
    elif kind == 1:
        born, categories = add_years(add_years(ended, 5) + days(o.rng.randint(1, 3)), -18), [2, 20]
    elif kind == 2:
        born, categories = o.near_birthday(25), [30, 22]
    elif kind == 3:
        born, categories = o.near_birthday(18), [0, 10]
    else:
        born, categories = o.near_birthday(25), [2, 30, 23, 1]
    spread: list[tuple[date | str | None, Sequence[int]]] = [(o.day - days(1600 + 10 * i), (c,)) for i, c in enumerate(categories)]
    dossier, fiches = o.dossier(categories[: o.rng.randint(0, 2)], fiches=spread, **columns)
    o.party(o.child(born), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def unconfigured(o: Organisation) -> None:
    kind = o.rng.randrange(5)
    old = o.day - days(2500)
    own: Sequence[int] = (o.rng.choice(NOT_CONFIGURED),)
    fiches: list[tuple[date | str | None, Sequence[int]]]
    if kind == 0:
        fiches = [(old, own)]
    elif kind == 1:  # one fiche without a category
        own, fiches = (30,), [(old, (30,)), (old + days(5), ())]
    elif kind == 2:  # none at all
        own, fiches = (), [(old, ())]
    elif kind == 3:
        own, fiches = (), []
    else:
        own, fiches = (0,), [(old, ()), (old, (0, o.rng.choice(NOT_CONFIGURED)))]
    dossier, made = o.dossier(own, fiches=fiches, closed=o.chance(0.7), cf_closedon=o.moment(old + days(30)))
    if o.chance(0.7):
        o.party(o.child(o.near_birthday(40)), CHILD, dossier=dossier)
    o.surround(dossier, made)


def civil_party(o: Organisation) -> None:
    edge = add_years(o.day, -5) + days(o.rng.randint(-2, 2))
    kind = o.rng.randrange(6)
    columns: Columns = {}
    closed = True
    if kind == 0:
        columns = {"cf_proceedingsendedon": edge.isoformat(), "cf_closedon": o.moment(o.day - days(30))}
    elif kind == 1:
        columns = {"cf_closedon": o.moment(edge)}
    elif kind == 2:
        closed = False
        columns = {"cf_closedon": o.moment(edge - days(300))}
    elif kind == 3:
        closed = False
        columns = {"cf_proceedingsendedon": (edge - days(300)).isoformat()}
    elif kind == 4:
        columns = {"cf_proceedingsendedon": o.rng.choice(SENTINEL_DAYS), "cf_closedon": o.moment(edge)}
    elif o.chance(0.5):
        columns = {"cf_closedon": o.rng.choice(("1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z"))}
    o.surround(*o.dossier((2,), fiches=[(o.past(2500, 30), (2,))], closed=closed, **columns))


def data_error(o: Organisation) -> None:
    ahead = o.day + days(o.rng.choice((0, 1, 2, 40, 66000)))
    kind = o.rng.randrange(6)
    category = o.rng.choice((0, 21, 30))
    spoken: date = o.day - days(2000)
    columns: Columns = {}
    closed = True
    if kind == 0:
        spoken = ahead
    elif kind == 1:
        columns["cf_closedon"] = o.moment(ahead)
    elif kind == 2:
        columns["cf_closedon"], closed = o.moment(ahead), False
    elif kind == 3:
        columns["cf_reopenedon"] = o.moment(ahead)
    elif kind == 4:
        columns["cf_proceedingsendedon"] = ahead.isoformat()
    else:
        columns["cf_closedon"] = o.rng.choice(("1753-01-01T00:00:00Z", "9999-12-31T00:00:00Z"))
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,)), (o.day - days(2100), (category,))], closed=closed, **columns)
    o.party(o.child(o.near_birthday(40)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def open_past_end(o: Organisation) -> None:
    category = o.rng.choice((21, 30, 10, 30))
    columns: Columns = {
        "cf_closedon": o.moment(o.day - days(900)) if o.chance(0.5) else None,
        "cf_outcome": o.rng.choice((None, BASE, BASE + 2)),
    }
    dossier, fiches = o.dossier((category,), fiches=[(o.day - days(1000), (category,))], closed=False, **columns)
    o.party(o.child(o.near_birthday(o.rng.choice((18, 25, 33)))), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def birth_puzzle(o: Organisation) -> None:
    """Everything that can be recorded of a birth, alone and in conflict."""
    kind = o.rng.randrange(22)
    age, category = o.rng.choice(((18, 22), (25, 30), (18, 12)))
    born = o.near_birthday(age)
    month_end = last_of_month(*divmod_month(o.day, -12 * age - o.rng.randint(0, 2)))
    spoken: date = o.day - days(o.rng.randint(300, 2000))
    c: Columns = {}
    if kind == 0:
        c = {
            "cf_nationalnumber": o.number(
                born,
                shape=o.rng.choice(
                    ("YYMMDDSSSCC", "YY.MM.DD-SSS.CC", "YY MM DD SSS CC", "YY/MM/DD-SSS-CC", "YY\u00a0MM\u00a0DD\u00a0SSS\u00a0CC")
                ),
            )
        }
    elif kind == 1:
        c = {"birthdate": (born - days(90)).isoformat(), "cf_nationalnumber": o.number(born)}
    elif kind == 2:
        c = {"birthdate": born.isoformat(), "cf_nationalnumber": o.number(born - days(90))}
    elif kind == 3:
        c = {"cf_nationalnumber": o.number(born, month_offset=o.rng.choice((20, 40)))}
    elif kind == 4:
        c = {"cf_nationalnumber": o.number(month_end, partial="month", month_offset=o.rng.choice((0, 20, 40)))}
    elif kind == 5:
        year_only = date(o.day.year - age - o.rng.randint(0, 1), 6, 1)
        c = {"cf_nationalnumber": o.number(year_only, partial="year", month_offset=o.rng.choice((0, 20, 40)))}
    elif kind == 6:  # wrong check number: ignored
        good = o.number(born)
        c = {"cf_nationalnumber": good[:-2] + f"{(int(good[-2:]) % 97) + 1:02d}" if good else None, "cf_birthyear": born.year}
    elif kind == 7:
        c = {"cf_birthyear": month_end.year, "cf_birthmonth": month_end.month}
    elif kind == 8:
        c = {"cf_birthyear": o.day.year - age - o.rng.randint(0, 2)}
    elif kind == 9:
        c = {"cf_birthmonth": 5, "cf_statedage": 12}  # neither says anything
    elif kind == 10:
        stated = add_years(o.day, -5) + days(o.rng.randint(-3, 3))
        c = {"cf_statedage": age - 5, "cf_statedageon": stated.isoformat()}
    elif kind == 11:
        c = {"birthdate": o.rng.choice(SENTINEL_DAYS)}
        spoken = o.near_birthday(age) if o.chance(0.5) else spoken
    elif kind == 12:
        c = {"birthdate": o.rng.choice(SENTINEL_DAYS), "cf_nationalnumber": o.number(born)}
    elif kind == 13:
        c = {"birthdate": (o.day + days(o.rng.choice((1, 300)))).isoformat(), "cf_birthyear": born.year if o.chance(0.5) else None}
    elif kind == 14:
        c = {"birthdate": (spoken + days(o.rng.randint(1, 30))).isoformat()}
    elif kind == 15:
        spoken = o.near_birthday(age)  # nothing known: the first fiche counts
    elif kind == 16:
        c = {
            "cf_birthyear": born.year,
            "cf_nationalnumber": o.number(month_end, partial="month"),
            "cf_statedage": 3,
            "cf_statedageon": spoken.isoformat(),
        }
    elif kind == 17:  # a leading zero lost by a spreadsheet
        early = born.replace(year=2000 + born.year % 10, day=min(born.day, 28))
        number = o.number(early, shape="YYMMDDSSSCC")
        c = {"cf_nationalnumber": number[1:] if number and number.startswith("0") else number}
    elif kind == 18:  # a day that does not exist: the month only
        c = {"cf_nationalnumber": o.number(born, wrong_day=o.rng.choice((31 if born.month in (2, 4, 6, 9, 11) else 32, 45)))}
    elif kind == 19:  # a full-width number, as pasted from elsewhere
        plain = o.number(born, shape="YYMMDDSSSCC")
        c = {"cf_nationalnumber": "".join(chr(ord(d) + 0xFEE0) for d in plain) if plain else None}
    elif kind == 20:  # stated on a leap day
        c = {"cf_statedage": 6, "cf_statedageon": f"{o.day.year - 12 - o.day.year % 4}-02-29"}
    else:
        said = ("12.13.15-997.89", "00.00.01-997.69", "85.07.30-997.63", "12.08.15-997.55", "12.08.15-AB7.54", "1208159975")
        c = {"cf_nationalnumber": o.rng.choice(said), "cf_birthyear": born.year}
        if c["cf_nationalnumber"] in o.numbers:
            c.pop("cf_nationalnumber")
        else:
            o.numbers.add(c["cf_nationalnumber"])
    dossier, fiches = o.dossier((category,), fiches=[(spoken, (category,))], cf_closedon=o.moment(spoken + days(10)))
    o.party(o.child(**c), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def divmod_month(day: date, months: int) -> tuple[int, int]:
    moved = add_months(day, months)
    return moved.year, moved.month


def two_homes(o: Organisation) -> None:
    """A role that names a dossier that goes and a fiche that stays: the link to the dossier goes, the role on
    the fiche stays (R-042)."""
    gone, _ = o.dossier((0,), fiches=[(o.day - days(400), (0,))])
    fiche = o.fiche(o.day - days(20), (0,))
    o.party(o.contact(), REPORTER, dossier=gone, fiche=fiche)


def several_children(o: Organisation) -> None:
    kind = o.rng.randrange(5)
    old = o.day - days(9300 if kind == 4 else 1200)
    dossier, fiches = o.dossier((30,), fiches=[(old, (30,)), (old + days(3), (22,))], cf_closedon=o.moment(old + days(20)))
    if kind == 0:
        o.party(o.child(o.near_birthday(25)), CHILD, dossier=dossier)
        o.party(o.child(o.near_birthday(30)), CHILD, fiche=fiches[1])
    elif kind == 1:
        o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
        youngest = o.party(o.child(o.near_birthday(20)), CHILD, fiche=fiches[0])
        o.close("cf_party", youngest)  # an inactive row counts
    elif kind == 2:
        o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
        o.party(None, CHILD, dossier=dossier)  # a child of whom nothing is known
    elif kind == 3:
        o.party(o.child(o.near_birthday(30), cf_birthyear=o.day.year - 3), CHILD, dossier=dossier)
        o.party(o.child(cf_birthyear=o.day.year - 26), CHILD, dossier=dossier)
    elif o.chance(0.5):
        o.party(None, CHILD, fiche=fiches[0])
    o.surround(dossier, fiches)


def same_child(o: Organisation) -> None:
    """Two dossiers of one child: by the same contact, or by one number written in two ways."""
    born = o.near_birthday(26)
    number = o.number(born)
    if o.chance(0.5) or number is None:
        first = second = o.child(born)
    else:
        first = o.child(born, cf_nationalnumber=number)
        second = o.child(born, cf_nationalnumber="".join(c for c in number if c.isdigit()))
    for child, closed in ((first, True), (second, o.chance(0.5))):
        spoken = o.day - days(o.rng.randint(300, 3000))
        dossier, fiches = o.dossier((30,), fiches=[(spoken, (30,))], closed=closed, cf_closedon=o.moment(spoken))
        o.party(child, CHILD, dossier=dossier)
        o.surround(dossier, fiches)


def legal_hold(o: Organisation) -> None:
    category = o.rng.choice((0, 21, 30, 2))
    columns: Columns = {"cf_legalhold": True, "cf_closedon": o.moment(o.day - days(2500))}
    if o.chance(0.5):
        row_id = o.new_id()
        columns["cf_legalholdreason"] = o.text("cf_dossier", row_id, "cf_legalholdreason", "statistiek")
    dossier, fiches = o.dossier((category,), fiches=[(o.day - days(2600), (category,))], closed=o.chance(0.7), **columns)
    o.party(o.child(o.near_birthday(35)), CHILD, dossier=dossier)
    o.recording(o.day - days(400), fiche=fiches[0])
    o.note("cf_fiche", fiches[0], mimetype="audio/mpeg")
    o.surround(dossier, fiches)


def public_alert(o: Organisation) -> None:
    category = o.rng.choice((30, 21))
    old = o.day - days(3000)
    dossier, fiches = o.dossier((category,), fiches=[(old, (category,))], cf_publicalert=True, cf_closedon=o.moment(old + days(9)))
    o.party(o.child(o.near_birthday(30)), CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def cohort(o: Organisation) -> None:
    """Many dossiers that share what statistics show, so that some rows may be written and some not."""
    category, wanted = o.rng.choice(((30, 6), (30, 5), (21, 9), (21, 10), (30, 12)))
    opened = date(o.day.year - o.rng.randint(9, 11), 5, 5)
    places = o.rng.choice((("2000", "3500"), ("2000", "2000", "2000", "3500"), ("4000",), ("1000", "9000"), ("2000", "5000")))
    sexes = o.rng.choice(((1,), (1, 2)))
    if o.chance(0.4):  # exactly as many as a row needs
        places, sexes, wanted = ("9000",), (2,), 10 if category == 21 else 5
    for number in range(wanted):
        spoken = opened + days(3)
        dossier, fiches = o.dossier(
            (category,),
            fiches=[(spoken, (category,))],
            cf_openedon=o.moment(opened),
            cf_closedon=o.moment(spoken + days(number)),
            cf_outcome=BASE + 2,
        )
        place = {
            "address1_postalcode": places[number % len(places)],
            "address1_country": "België",
            "gendercode": sexes[number % len(sexes)],
        }
        o.party(o.child(add_years(opened, -16) - days(number), **place), CHILD, dossier=dossier)
        if o.chance(0.3):
            o.surround(dossier, fiches)


def lone_fiche(o: Organisation) -> None:
    kind = o.rng.randrange(9)
    spoken: date | str | None = o.near_six_months()
    columns: Columns = {}
    categories: Sequence[int] = (o.rng.choice(SIX),)
    child: Columns | None = None
    if kind == 1:
        spoken, columns = None, {"overriddencreatedon": o.moment(o.near_six_months())}
    elif kind == 2:
        categories, spoken, child = (30,), o.day - days(3000), {"birthdate": o.near_birthday(25).isoformat()}
    elif kind == 3:
        categories, spoken = (2,), o.day - days(4000)
    elif kind == 4:
        categories, spoken = (o.rng.choice((31, 32, 33)),), add_months(o.day, -60) + days(o.rng.randint(-1, 1))
    elif kind == 5:
        categories, spoken = (o.rng.choice(NOT_CONFIGURED),) if o.chance(0.5) else (), o.day - days(4000)
    elif kind == 6:
        spoken = o.day + days(o.rng.choice((0, 1, 65000)))
    elif kind == 7:
        categories, spoken, child = (20,), o.near_six_months(), {"birthdate": o.near_birthday(20).isoformat()}
    elif kind == 8:
        categories, spoken = (0, 21), o.near_birthday(18)
    fiche = o.fiche(spoken, categories, **columns)
    if child is not None:
        o.party(o.child(**child), CHILD, fiche=fiche)
    if kind == 8 and o.chance(0.5):
        o.recording(o.day - days(500), fiche=fiche, cf_evidence=True)
    o.surround(None, [fiche])


def empty_dossier(o: Organisation) -> None:
    kind = o.rng.randrange(5)
    columns: Columns = {"cf_closedon": o.moment(o.day - days(2200)) if o.chance(0.6) else None}
    category = o.rng.choice((0, 21, 2, 30))
    if kind == 1:
        columns["cf_reopenedon"] = o.moment(o.near_six_months())
    dossier, fiches = o.dossier((category,), closed=o.chance(0.8), **columns)
    if kind in (2, 3):
        o.party(o.child(o.near_birthday(26)), CHILD, dossier=dossier)
    elif kind == 4:
        o.party(None, CHILD, dossier=dossier)
    o.surround(dossier, fiches)


def masked(o: Organisation) -> None:
    """Rows that an earlier run has anonymised: they have no line and are not touched."""
    at: Columns = {"cf_anonymisedon": o.moment(o.day - days(100))}
    o.dossier((30,), fiches=[], **at)
    o.fiche(o.day - days(3000), (30,), **at)
    o.add("contact", {"firstname": "Geanonimiseerd", "lastname": "Geanonimiseerd", **at})


def recordings(o: Organisation) -> None:
    """Recordings of every kind, on dossiers that go, stay and are open."""
    old = o.day - days(1200)
    category = o.rng.choice((21, 33, 30))
    dossier, (fiche,) = o.dossier((category,), fiches=[(old, (category,))], closed=o.chance(0.5), cf_closedon=o.moment(old))
    o.party(o.child(o.near_birthday(o.rng.choice((30, 10)))), CHILD, dossier=dossier)
    end = o.near_six_months()
    o.recording(end, fiche=fiche, started=end)
    o.recording(o.day - days(o.rng.randint(150, 170)), fiche=fiche, cf_takenover=o.rng.choice((True, False, None)))
    o.recording(o.day - days(300), fiche=fiche, cf_evidence=True)
    o.recording(end, fiche=fiche, cf_evidence=False)
    kind = o.rng.randrange(7)
    target = o.rng.choice((fiche, None))
    if kind == 0:  # across midnight in Brussels
        o.recording(instant_on(end, 0, 20), started=instant_on(end - days(1), 23, 50), fiche=target)
    elif kind == 1:
        o.recording(None, started=end, fiche=target)
    elif kind == 2:
        o.recording(None, started=None, fiche=target, overriddencreatedon=o.moment(o.day - days(900)))
    elif kind == 3:
        o.recording(o.rng.choice(("1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z")), started=end, fiche=target)
    elif kind == 4:
        o.recording(o.day + days(o.rng.choice((0, 1, 400))), started=o.day, fiche=target)
    elif kind == 5:
        o.recording(end, fiche=None, cf_evidence=True)
    else:
        missing = (o.storage / "nooit geweest.wav").as_uri() if "objects" not in o.without else None
        o.recording(o.day - days(400), fiche=target, cf_storageuri=missing)


def audio_notes(o: Organisation) -> None:
    spoken = o.near_six_months()
    category = o.rng.choice((30, 21, 33))
    shown: date | None = spoken if o.chance(0.7) else None
    dossier = o.new_id()
    o.add("cf_dossier", {"cf_name": o.text("cf_dossier", dossier, "cf_name", "D"), "cf_categories": joined((category,))}, dossier)
    fiche = o.fiche(shown, (category,), dossier=dossier, overriddencreatedon=o.moment(spoken))
    if o.chance(0.7):
        o.close("cf_dossier", dossier)
    o.party(o.child(o.near_birthday(12)), CHILD, dossier=dossier)
    for media in ("audio/mpeg", "AUDIO/WAV", "text/plain", "application/octet-stream", "video/audio"):
        if o.chance(0.5):
            o.note("cf_fiche", fiche, mimetype=media, filename="gesprek.mp3")
    if o.chance(0.4):
        o.note("cf_dossier", dossier, mimetype="audio/mpeg")  # on a dossier it is not a recording


def bystanders(o: Organisation) -> None:
    """People without any unit, and mail attached to nothing."""
    kind = o.rng.randrange(9)
    contact = o.contact(birthdate="1980-05-05")
    if kind == 0:
        o.note("contact", contact)
        o.activity("phonecall", ("contact", contact), [])
    elif kind == 1:
        o.relations(contact, 1.0)
    elif kind == 2:
        o.activity("email", None, [contact, None])
    elif kind == 3:
        o.activity("phonecall", None, [contact])
    elif kind == 4:
        o.add(
            "cf_engagement",
            {"cf_name": "oud", "cf_kind": BASE, "cf_endedon": o.past(900).isoformat(), "cf_ContactId@odata.bind": f"contacts({contact})"},
        )
    elif kind == 5:  # a chain: the parent of a donor stays
        o.relations(contact, 1.0)
        parent = o.person()
        fiche = o.fiche(o.day - days(400), (0,))
        o.party(parent, PARENT, fiche=fiche)
        o.changes.append(("contact", contact, {"parentcustomerid_contact@odata.bind": f"contacts({parent})"}))
    elif kind == 6:  # a chain that goes whole
        parent = o.contact()
        fiche = o.fiche(o.day - days(400), (0,))
        o.party(parent, PARENT, fiche=fiche)
        o.party(contact, REPORTER, fiche=fiche)
        o.changes.append(("contact", contact, {"parentcustomerid_contact@odata.bind": f"contacts({parent})"}))
    elif kind == 7:  # known to an expired fiche, and party of mail attached to nothing
        fiche = o.fiche(o.day - days(400), (0,))
        o.party(contact, REPORTER, fiche=fiche)
        o.activity("email", None, [contact])


def donor_of_old(o: Organisation) -> None:
    """A reporter of an expired unit who lives on as donor, volunteer, reader or partner."""
    fiche = o.fiche(o.day - days(500), (o.rng.choice(SIX),))
    born = add_years(o.day, -40) - days(o.rng.randint(0, 300))
    contact = o.contact(
        birthdate=born.isoformat(),
        cf_nationalnumber=o.number(born),
        cf_birthyear=born.year,
        cf_birthmonth=born.month,
        cf_statedage=40,
        cf_statedageon=o.past().isoformat(),
        entityimage=PNG,
    )
    o.relations(contact, 1.0)
    o.party(contact, REPORTER, fiche=fiche)
    o.activity("phonecall", ("cf_fiche", fiche), [contact])
    if o.chance(0.4):
        o.note("contact", contact)
    if o.chance(0.3):  # still known to a unit that stays
        o.party(contact, WITNESS, fiche=o.fiche(o.day - days(20), (0,)))


RECIPES: tuple[Callable[[Organisation], None], ...] = (
    six_months,
    grown_up,
    twenty_five,
    late_activity,
    birth_puzzle,
    lone_fiche,
    recordings,
    mixed,
    no_term,
    donor_of_old,
    unconfigured,
    civil_party,
    data_error,
    birth_puzzle,
    several_children,
    open_past_end,
    legal_hold,
    six_months,
    bystanders,
    audio_notes,
    public_alert,
    six_months_fallback,
    lone_fiche,
    late_activity,
    same_child,
    leap_child,
    empty_dossier,
    birth_puzzle,
    two_homes,
    masked,
    cohort,
)


def draw(seed: int, as_of: datetime, count: int, storage: Path, without: frozenset[str] = frozenset()) -> Organisation:
    """An organisation of about `count` dossiers and lone fiches around the day of `as_of`."""
    organisation = Organisation(Random(seed), brussels_day(as_of), storage, without=without)
    storage.mkdir(parents=True, exist_ok=True)
    recipes = [make for make in RECIPES if make.__name__ not in without]
    for number in range(count):
        make = recipes[number % len(recipes)]
        organisation.recipe = f"{make.__name__} #{number}"
        make(organisation)
    return organisation
