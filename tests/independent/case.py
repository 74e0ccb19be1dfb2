"""One scenario: rows given through the Web API, commands as somebody types them, and what is seen
afterwards."""

import base64
import json
import re
import shutil
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from tests.independent.emulated import Organisation
from tests.independent.emulator import TOKEN, command, environment
from tests.independent.evaluation import Rows
from tests.independent.inside import Inside
from tests.independent.prompt import Prompt
from tests.independent.reading import BASE, found_in, instant, numbers, opened
from tests.independent.stage import Spoken
from tests.independent.wire import IDS, SETS, WebApi, by_id

AT = "2026-11-25T11:00:00Z"
ROLES = ("child", "parent", "guardian", "reporter", "witness", "suspect", "professional", "other")
OUTCOMES = ("not_located", "located", "returned", "not_returned", "found_deceased")
MARK = re.compile(rb"kx[0-9a-f]{12}")
TWO = (("anna", "crm_admin"), ("ben", "dpo"))
ANSWER_KEYS = {"code", "message", "hint", "where"}


class Case:
    """The rows, the folder and the findings of one scenario."""

    def __init__(
        self, name: str, folder: Path, organisation: Organisation | Inside, prompt: Prompt | Inside, template: Path | None = None
    ) -> None:
        """`template` is a data folder in which nothing has happened yet: making one takes longer than most
        commands."""
        self.name, self.folder, self.organisation, self.prompt, self.at = name, folder, organisation, prompt, AT
        folder.mkdir(parents=True)
        self.data, self.objects = folder / "data", folder / "objects"
        self.objects.mkdir()
        if template:
            shutil.copytree(template, self.data)
        self.problems: list[str] = []
        self.spoken: list[Spoken] = []
        self.secrets: dict[str, str] = {}  # mark: the row that holds it
        self.chance = Random(name)  # the same rows each time: no scenario fails by the digits of an id
        self.settings: dict[str, str] = {}
        self._waiting: list[tuple[str, str, dict[str, Any]]] = []
        self._last: list[tuple[str, str, dict[str, Any]]] = []
        organisation.reset(AT)

    @property
    def api(self) -> WebApi:
        return self.organisation.api

    # -- what is found ---------------------------------------------------------------------------------------

    def expect(self, holds: object, text: str) -> bool:
        if not holds:
            self.problems.append(f"{self.name}: {text}")
        return bool(holds)

    def same(self, what: str, found: object, right: object) -> bool:
        return self.expect(found == right, f"{what}: expected {right}, seen {found}")

    # -- rows ------------------------------------------------------------------------------------------------

    def mark(self, row: str) -> str:
        """A word that stands nowhere else and that only this row may hold."""
        word = f"kx{self.chance.getrandbits(48):012x}"
        self.secrets[word] = row
        return word

    def add(self, table: str, **columns: Any) -> str:
        row = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        body = {IDS[table]: row, "overriddencreatedon": "2019-01-05T10:00:00Z"}
        for name, value in columns.items():
            if value is not None:
                body[name.replace("__bind", "@odata.bind")] = self.mark(row) if value == "?" else value
        self._waiting.append(("POST", SETS[table], body))
        return row

    def contact(self, **columns: Any) -> str:
        """Somebody with something personal in every column of text."""
        row = self.add(
            "contact",
            **{"firstname": "?", "lastname": "?", "emailaddress2": None, "telephone1": "?", "mobilephone": "?", "address1_line1": "?"}
            | {"address1_city": "?", "description": "?", "cf_birthplace": "?", "cf_nationalnumber": "?"}
            | columns,
        )
        if "emailaddress1" not in columns:
            self._waiting[-1][2]["emailaddress1"] = self.mark(row) + "@example.org"
        return row

    def child(self, born: str | None = "1995-03-03", **columns: Any) -> str:
        return self.contact(birthdate=born, **columns)

    def dossier(
        self,
        category: str | None,
        spoken: str | None = "2019-01-10",
        *,
        child: str | None = None,
        closed: bool = True,
        outcome: str | None = None,
        **columns: Any,
    ) -> str:
        """A dossier with one fiche of that day; its party of the role child is `child`."""
        row = self.add(
            "cf_dossier",
            **{"cf_name": "?", "cf_summary": "?", "cf_courtreference": "?", "cf_openedon": instant(spoken or "2019-01-10")}
            | {"cf_categories": category and numbers(category), "cf_outcome": None if outcome is None else BASE + OUTCOMES.index(outcome)}
            | columns,
        )
        if spoken:
            self.fiche(category, spoken, dossier=row)
        if child:
            self.party(child, "child", dossier=row)
        if closed:
            self._last.append(("PATCH", f"cf_dossiers({row})", {"statecode": 1, "statuscode": 2}))
        return row

    def fiche(self, category: str | None, spoken: str = "2019-01-10", dossier: str | None = None, **columns: Any) -> str:
        return self.add(
            "cf_fiche",
            **{"cf_name": "?", "cf_summary": "?", "cf_callernumber": "?", "cf_calleremail": "?", "cf_ipaddress": "?", "cf_channel": BASE}
            | {"cf_communicatedon": instant(spoken), "cf_categories": category and numbers(category)}
            | {"cf_DossierId__bind": dossier and f"/cf_dossiers({dossier})"}
            | columns,
        )

    def party(self, contact: str, role: str, *, dossier: str | None = None, fiche: str | None = None) -> str:
        return self.add(
            "cf_party",
            cf_name="?",
            cf_notes="?",
            cf_role=BASE + ROLES.index(role),
            cf_ContactId__bind=f"/contacts({contact})",
            cf_DossierId__bind=dossier and f"/cf_dossiers({dossier})",
            cf_FicheId__bind=fiche and f"/cf_fiches({fiche})",
        )

    def note(self, table: str, row: str, *, audio: bool = False) -> str:
        note = self.add("annotation", subject="?", notetext="?", **{f"objectid_{table}__bind": f"/{SETS[table]}({row})"})
        body = self._waiting[-1][2]
        if audio:
            inside = base64.b64encode(self.mark(note).encode()).decode()
            body |= {"filename": self.mark(note), "mimetype": "audio/mpeg", "documentbody": inside, "isdocument": True}
        return note

    def recording(self, ended: str, fiche: str | None = None, **columns: Any) -> str:
        return self.add(
            "cf_recording",
            **{"cf_name": "opname (fictief)", "cf_endedon": instant(ended), "cf_startedon": instant(ended), "cf_channel": BASE}
            | {"cf_transcript": "?", "cf_callernumber": "?", "cf_FicheId__bind": fiche and f"/cf_fiches({fiche})"}
            | columns,
        )

    def call(self, table: str, row: str, contact: str, *, kind: str = "phonecall") -> str:
        own = {"phonecall": {"phonenumber": "?"}, "email": {"sender": "?", "torecipients": "?"}}[kind]
        party = {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 1, "addressused": self.mark(contact)}
        link = {f"regardingobjectid_{table}_{kind}__bind": f"/{SETS[table]}({row})"}
        return self.add(kind, subject="?", description="?", **own, **link, **{f"{kind}_activity_parties": [party]})

    def change(self, table: str, row: str, **columns: Any) -> None:
        self.load()
        self.api.send([("PATCH", f"{SETS[table]}({row})", columns)])

    def load(self) -> None:
        for rows in (self._waiting, self._last):
            if rows:
                self.api.send(rows)
                rows.clear()

    def row(self, table: str, row: str) -> dict[str, Any] | None:
        """The row as it is, or None where the CRM says 404."""
        answer = self.api.http.get(f"{self.api.root}{SETS[table]}({row})")
        return None if answer.status_code == 404 else dict(answer.json())

    def roles_in(self, dossier: str) -> set[tuple[str, str]]:
        """Who has which role on the row of a dossier."""
        found = self.api.rows(f"cf_parties?$filter=_cf_dossierid_value eq {dossier}")
        return {(row["_cf_contactid_value"], ROLES[row["cf_role"] - BASE]) for row in found}

    def there(self, table: str, *rows: str) -> list[bool]:
        return [self.row(table, row) is not None for row in rows]

    def everything(self) -> Rows:
        self.load()
        return self.api.everything()

    def unchanged(self, before: Rows, tables: Iterable[str] = SETS, *, but: Iterable[str] = ()) -> None:
        """Every row that was there is there as it was, to the last column; `but` names those that are left
        out."""
        after, left_out = self.everything(), set(but)
        for table in tables:
            old, new = by_id(before[table], table), by_id(after[table], table)
            odd = [row for row in old if row not in left_out and old[row] != new.get(row)]
            self.expect(not odd, f"{table}: {len(odd)} rows are not as they were, e.g. {odd[:2]}")

    # -- commands --------------------------------------------------------------------------------------------

    @property
    def env(self) -> dict[str, str]:
        told = {"CRM_URL": self.api.root, "CRM_TOKEN": TOKEN, "DATA_DIR": str(self.data), "STORAGE_DIR": str(self.objects)}
        told |= {"CLOCK": self.at, **self.settings}
        return environment() | {f"CRM_COMPLIANCE_{name}": value for name, value in told.items()} | {"NO_COLOR": "1", "COLUMNS": "100"}

    def clock(self, at: str) -> None:
        """Another day, for product and CRM."""
        self.at = at
        self.api.control("PUT", "clock", {"now": at})

    def type(self, *args: object, given: str = "", env: dict[str, str] | None = None) -> Spoken:
        self.load()
        spoken = self.prompt.type([str(a) for a in args], self.env | (env or {}), self.folder, given, is_calm=not self.api.has_trouble)
        self.spoken.append(spoken)
        told = " ".join(spoken.args)
        self.expect("Traceback" not in spoken.err and spoken.code not in (1,), f"`{told}` exits {spoken.code}: {spoken.err[-900:]}")
        return spoken

    def ask(self, *args: object, code: int = 0, given: str = "", env: dict[str, str] | None = None) -> Any:
        """The JSON document of a command that must end with `code`."""
        spoken = self.type(*args, "--json", given=given, env=env)
        self.expect(
            spoken.code == code, f"`{' '.join(spoken.args)}` exits {spoken.code}, not {code}: {spoken.err[-500:] or spoken.out[-300:]}"
        )
        if code in (0, 6):
            self.expect(spoken.document() != {}, f"`{' '.join(spoken.args)}` prints no document: {spoken.out[:200]!r}")
        return spoken.document()

    def round(self) -> None:
        """The nightly maintenance of requests: 6 where somebody has to look at something."""
        spoken = self.type("run", "requests", "--json")
        self.expect(spoken.code in (0, 6), f"`run requests` exits {spoken.code}: {spoken.err[-300:]}")

    def refused(self, *args: object, code: int | tuple[int, ...], given: str = "", env: dict[str, str] | None = None) -> dict[str, Any]:
        """The error of a command that must end with `code` (or one of them), and say so as the contract wants
        it."""
        spoken, codes = self.type(*args, "--json", given=given, env=env), code if isinstance(code, tuple) else (code,)
        told = f"`{' '.join(spoken.args)}`"
        if self.expect(spoken.code in codes, f"{told} exits {spoken.code}, not {code}: {spoken.err[-400:] or spoken.out[-300:]}"):
            self.expect(
                spoken.error().keys() == ANSWER_KEYS, f"{told}: the last line of stderr is no error document: {spoken.err[-300:]!r}"
            )
            self.expect(not spoken.out.strip(), f"{told} is refused and yet prints {spoken.out[:120]!r}")
        return spoken.error()

    def begin(self, *args: object) -> subprocess.Popen[str]:
        """Start a command beside the others; `end` waits for it."""
        self.load()
        with (self.folder / "begun.out").open("w") as out, (self.folder / "begun.err").open("w") as err:
            return subprocess.Popen(
                command(*map(str, args), "--json"),
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )

    def end(self, process: subprocess.Popen[str]) -> Spoken:
        code = process.wait(250)
        return Spoken(("begun",), code, (self.folder / "begun.out").read_text(), (self.folder / "begun.err").read_text())

    def wait_for(self, happened: Callable[[], object], seconds: float = 200.0) -> bool:
        """Look again and again until it has happened."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if happened():
                return True
            time.sleep(0.02)
        return self.expect(False, "what was waited for did not happen")

    def policy(self, *edits: tuple[str, str], first_run: bool = False, more: str = "", name: str = "policy.yaml", use: bool = True) -> Path:
        """The shipped schedule with some texts replaced; put in force."""
        path = self.folder / name
        shown = self.folder.parent / "shipped.yaml"
        if not shown.exists():
            self.type("policy", "show", "--output", shown)
        text = shown.read_text()
        for old, new in (*edits, *([] if first_run else [("first_run: true", "first_run: false")])):
            if not self.expect(old in text, f"`policy show --output` gives no {old!r}"):
                continue
            text = text.replace(old, new, 1)
        path.write_text(text.replace("plan_valid_hours: 72", f"plan_valid_hours: 72\n{more}", 1))
        if use:
            self.settings["POLICY"] = str(path)
        return path

    def plan(self, *args: object, name: str = "plan.jsonl", approve: bool = True) -> dict[str, Any]:
        """A new plan, given what it needs by two people; `lines` reads it."""
        plan = self.ask("plan", "--output", name, *args)
        if approve:
            self.approve(plan)
        return dict(plan)

    def approve(self, plan: dict[str, Any]) -> None:
        if (plan.get("approvals") or {}).get("needed"):
            for who, role in TWO:
                self.ask("plans", "approve", plan["plan"], "--as", who, "--role", role)

    def lines(self, name: str = "plan.jsonl") -> dict[str, dict[str, Any]]:
        path = self.folder / name
        found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return {line["id"]: line for line in found}

    def fate(self, row: str, name: str = "plan.jsonl") -> tuple[str, list[str]]:
        line = self.lines(name).get(row)
        return (line["outcome"], line["reasons"]) if line else ("no line", [])

    def apply(self, plan: dict[str, Any] | None = None, *, code: int = 0) -> dict[str, Any]:
        """Plan, where none is given, approve, and apply."""
        chosen = plan or self.plan()
        return dict(self.ask("apply", chosen.get("plan", "none"), code=code))

    def hold(self, *on: object, kind: str = "legal", who: str = "dora", review: str = "2027-06-01", **more: object) -> str:
        """Place a hold; its id. `on` is a table and a row, or `--person` and a contact."""
        place = on if str(on[0]).startswith("--") else ("--table", on[0], "--id", on[1])
        extra = [part for name, value in more.items() for part in (f"--{name.replace('_', '-')}", value)]
        base: tuple[object, ...] = ("--reason", "REQ-1") if "reason" not in more else ()
        args = (*place, "--type", kind, *base, "--basis", "letter", "--review-on", review, "--as", who, "--role", "dpo", *extra)
        return str(self.ask("holds", "place", *args).get("hold"))

    def release(
        self, hold: str, *, asked_by: str = "carl", who: str = "erik", role: str = "approver", code: int = 0, **more: object
    ) -> None:
        extra = [part for name, value in more.items() for part in (f"--{name.replace('_', '-')}", value)]
        args = ("holds", "release", hold, "--asked-by", asked_by, "--as", who, "--role", role, "--reason", "over", *extra)
        if code:
            self.refused(*args, code=code)
        else:
            self.ask(*args)

    # -- what is left behind ---------------------------------------------------------------------------------

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.data / "state.db")

    def ledger(self) -> list[dict[str, Any]]:
        with closing(self.database()) as database:
            database.row_factory = sqlite3.Row
            rows = [dict(row) for row in database.execute("select * from ledger order by seq")]
        return [row | {"data": json.loads(row["data"]) if isinstance(row["data"], str) else row["data"]} for row in rows]

    def certificates(self, run: str) -> list[dict[str, Any]]:
        """Every object in the file that has the fields of a certificate."""
        self.ask("certificate", run, "--output", "certificates.json")
        return found_in(json.loads((self.folder / "certificates.json").read_text()), "certificate_id")

    def marks_in_files(self) -> dict[str, list[str]]:
        """Marks of rows in any file of the data folder or written by a command, and in what commands said;
        also in names of files."""
        found: dict[str, list[str]] = {}
        for path in self.folder.rglob("*"):
            texts = [str(path.relative_to(self.folder)).encode()]
            if path.is_file() and path.parent != self.objects and path.name != "lost-objects.txt":
                texts += opened(path)
            for text in texts:
                for mark in set(MARK.findall(text)):
                    found.setdefault(mark.decode(), []).append(str(path.relative_to(self.folder)))
        for spoken in self.spoken:
            for mark in set(MARK.findall((spoken.out + spoken.err).encode())):
                found.setdefault(mark.decode(), []).append(f"`{' '.join(spoken.args)[:60]}`")
        return {mark: places for mark, places in found.items() if mark in self.secrets}

    def marks_in_crm(self) -> dict[str, list[str]]:
        """Marks in any table of the CRM, the platform's own among them."""
        found: dict[str, list[str]] = {}
        for table, rows in (self.api.everything() | self.api.platform()).items():
            for row in rows:
                text = json.dumps(row).encode()
                if isinstance(row.get("documentbody"), str):
                    text += base64.b64decode(row["documentbody"])
                for mark in set(MARK.findall(text)):
                    found.setdefault(mark.decode(), []).append(table)
        return {mark: places for mark, places in found.items() if mark in self.secrets}

    def names_nobody(self) -> None:
        """No personal data in logs, errors, reports, file names or the store (ACC-05, R-142)."""
        for mark, places in list(self.marks_in_files().items())[:3]:
            self.expect(False, f"a mark of row {self.secrets[mark]} stands in {sorted(set(places))}")

    def nothing_left(self, rows: Iterable[str]) -> None:
        """No mark of these rows is anywhere in the CRM, audit rows and bin included (ERA-12)."""
        gone, found = set(rows), self.marks_in_crm()
        for mark, places in [(m, p) for m, p in found.items() if self.secrets[m] in gone][:3]:
            self.expect(False, f"a mark of the disposed row {self.secrets[mark]} is still in {sorted(set(places))}")
