"""Somebody asks what is known about them: the request, every step to its answer, and what the answer says.

A companion of `Case`. What only the DPO may read (proposals, decisions, packages) is beside the case's
folder, so that everything inside it may still be searched for words that nobody may find there.
"""

import hashlib
import html
import json
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pypdfium2
import pyzipper

from tests.independent.case import Case

DPO = ("--as", "dora", "--role", "dpo")
APPROVER = ("--as", "erik", "--role", "approver")
RECEIVED = "2026-11-25T10:00:00Z"
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
UNSEEN = re.compile(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u2010\u2011-]+")
PARTS = {"letter.pdf", "data.json", "index.html", "manifest.json"}
NEUTRAL = {"letter.pdf", "manifest.json"}
_PDFIUM = threading.Lock()
Item = dict[str, Any]


def squeezed(text: str) -> str:
    """Without what a line break or a hyphenation puts in between, and in one case."""
    return UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()


@dataclass(frozen=True)
class Person:
    """A row of the table contact, and what its person would write on a form."""

    row: str
    firstname: str
    lastname: str
    birthdate: str | None
    email: str
    phone: str

    @property
    def name(self) -> str:
        return f"{self.firstname} {self.lastname}"

    def given(self, **other: Any) -> dict[str, Any]:
        told: dict[str, Any] = {"firstname": self.firstname, "lastname": self.lastname, "birthdate": self.birthdate, "nationalnumbers": []}
        return told | {"phones": [], "emails": [self.email]} | other


def given(firstname: str, lastname: str, birthdate: str | None = None, **other: Any) -> dict[str, Any]:
    """What somebody says about himself or herself."""
    return {
        "firstname": firstname,
        "lastname": lastname,
        "birthdate": birthdate,
        "nationalnumbers": [],
        "phones": [],
        "emails": [],
    } | other


@dataclass
class Package:
    """The files of an answer."""

    files: dict[str, bytes]
    outside: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def data(self) -> dict[str, Any]:
        found = json.loads(self.files["data.json"]) if "data.json" in self.files else {}
        return dict(found)

    @cached_property
    def items(self) -> list[Item]:
        return list(self.data.get("items", []))

    @cached_property
    def letter(self) -> str:
        return pdf_text(self.files["letter.pdf"])

    @cached_property
    def texts(self) -> dict[str, str]:
        """Everything that can be read, by file: names of files, text and metadata of documents, JSON and HTML
        as a reader sees them."""
        found = {"names": "\n".join(self.files)}
        for name, body in self.files.items():
            text = body.decode("utf-8", "replace")
            if body[:4] == b"%PDF":
                packets = re.findall(rb"<\?xpacket begin.*?<\?xpacket end", body, re.DOTALL)
                told = [pdf_text(body), json.dumps(pdf_metadata(body), ensure_ascii=False)]
                text = "\n".join([*told, *(packet.decode("utf-8", "replace") for packet in packets)])
            elif name.endswith(".json"):
                text = json.dumps(json.loads(body), ensure_ascii=False) + text
            elif name.endswith(".html"):
                text = html.unescape(re.sub(r"<[^>]*>", "", text)) + html.unescape(text)
            found[name] = text
        return found

    @cached_property
    def _squeezed(self) -> dict[str, str]:
        return {name: squeezed(text) for name, text in self.texts.items()}

    def where(self, word: str) -> list[str]:
        """The files in which a word can be read."""
        return [name for name, text in self.texts.items() if word in text or squeezed(word) in self._squeezed[name]]

    def says(self, word: str) -> bool:
        return bool(self.where(word))


@contextmanager
def opened_pdf(body: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Houses play in threads, and the library is for one at a time."""
    with _PDFIUM:
        document = pypdfium2.PdfDocument(body)
        try:
            yield document
        finally:
            document.close()


def pdf_text(body: bytes) -> str:
    with opened_pdf(body) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def pdf_metadata(body: bytes) -> dict[str, str]:
    with opened_pdf(body) as document:
        return dict(document.get_metadata_dict())


def pictures(body: bytes, hidden: Sequence[str]) -> list[bytes]:
    """The pages as pictures, with white boxes over some words."""
    found = []
    with opened_pdf(body) as document:
        for page in document:
            text, height = page.get_textpage(), page.get_height()
            picture = page.render(scale=1.5).to_pil().convert("RGB")
            for word in hidden:
                finder = text.search(word)
                while hit := finder.get_next():
                    start, count = hit
                    boxes = [text.get_charbox(index) for index in range(start, start + count)]
                    left, low = min(b[0] for b in boxes) - 2, min(b[1] for b in boxes) - 2
                    right, high = max(b[2] for b in boxes) + 2, max(b[3] for b in boxes) + 2
                    corners = (left * 1.5, (height - high) * 1.5, right * 1.5, (height - low) * 1.5)
                    picture.paste((255, 255, 255), tuple(int(c) for c in corners))
            found.append(picture.tobytes())
    return found


def unpacked(file: Path, passphrase: Path) -> dict[str, bytes]:
    with pyzipper.AESZipFile(file) as archive:
        archive.setpassword(passphrase.read_text().strip().encode())
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


class Asking:
    """Requests of one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.beside = case.folder.with_name(case.folder.name + "-beside")
        self.beside.mkdir(exist_ok=True)
        self._files = 0

    # -- people and texts ------------------------------------------------------------------------------------

    def name(self, row: str) -> str:
        """A mark of letters alone, as a name is."""
        word = "kx" + "".join(self.case.chance.choices("abcdef", k=12))
        self.case.secrets[word] = row
        return word

    def person(self, born: str | None = "1985-07-30", **columns: Any) -> Person:
        """Somebody with a mark in every column; the number of the register is one only where it is given."""
        case = self.case
        row = case.contact(birthdate=born, **columns)
        body = next(b for _, _, b in reversed(case._waiting) if b.get("contactid") == row)
        for column in ("firstname", "lastname"):
            if column not in columns:
                case.secrets.pop(body[column])
                body[column] = self.name(row)
        digits = "".join(case.chance.choices("0123456789", k=7))
        if "mobilephone" not in columns:
            case.secrets.pop(body["mobilephone"])
            body["mobilephone"] = "+3247" + digits
        return Person(row, body["firstname"], body["lastname"], born, body.get("emailaddress1") or "", body["mobilephone"] or "")

    def words_of(self, *rows: str) -> list[str]:
        """Every mark that stands in these rows."""
        return [word for word, row in self.case.secrets.items() if row in rows]

    def path(self, suffix: str) -> Path:
        self._files += 1
        return self.beside / f"{self._files:02}{suffix}"

    # -- steps -----------------------------------------------------------------------------------------------

    def private(self, *args: object, code: int = 0, stdin: str = "") -> Any:
        """A command whose answer is for the DPO's eyes: what it prints is not searched afterwards."""
        found = self.case.ask(*args, code=code, given=stdin)
        self.case.spoken[-1] = replace(self.case.spoken[-1], out="")
        return found

    def form(self, told: dict[str, Any], **other: Any) -> dict[str, Any]:
        asked = {"right": "access", "requester_kind": "unknown", "received_at": RECEIVED, "channel": "email", "language": "nl"}
        return asked | {"given": told, "on_behalf_of": None} | other

    def open(self, told: dict[str, Any], **other: Any) -> str:
        found = self.case.ask("requests", "open", "-", given=json.dumps(self.form(told, **other)))
        return str(found.get("request"))

    def identify(self, request: str, *, method: str = "known_channel", mandate: str | None = None, agrees: bool = False) -> None:
        more = (*(("--mandate", mandate) if mandate else ()), *(("--child-agrees",) if agrees else ()))
        self.case.ask("requests", "identify", request, "--method", method, *more, *DPO)

    def match(self, request: str) -> list[Item]:
        return list(self.case.ask("requests", "match", request).get("candidates", []))

    def confirm(self, request: str, rows: Iterable[str]) -> list[Item]:
        """Match, and confirm the candidates that are these rows; nobody where there are none."""
        wanted, found = set(rows), self.match(request)
        chosen = [c["candidate"] for c in found if c["id"] in wanted]
        missing = wanted - {c["id"] for c in found}
        self.case.expect(
            not missing, f"{len(missing)} of {len(wanted)} rows are no candidates: {[(c['class'], c['flags']) for c in found]}"
        )
        self.case.ask("requests", "confirm", request, *(chosen or ["--none"]), *DPO)
        return found

    def compile(self, request: str, **more: object) -> dict[str, Any]:
        extra = [part for name, value in more.items() for part in (f"--{name.replace('_', '-')}", value)]
        return dict(self.case.ask("requests", "compile", request, *extra, *DPO))

    def items(self, request: str) -> list[Item]:
        return list(self.private("requests", "review", request) or [])

    def decide(self, request: str, decisions: Sequence[Item], code: int = 0) -> Any:
        path = self.path(".jsonl")
        path.write_text("".join(json.dumps(d) + "\n" for d in decisions))
        if code:
            return self.case.refused("requests", "review", request, "--decisions", path, *DPO, code=code)
        return self.private("requests", "review", request, "--decisions", path, *DPO)

    def review(self, request: str, decide: Callable[[Item], Item | None] | None = None) -> list[Item]:
        """Decide on each item that waits: approve it as proposed, or as `decide` says."""
        found = self.reviewable(request)
        choose = decide or (lambda item: {"status": "APPROVED"})
        made = [{"item": i["item"], **(choose(i) or {"status": "APPROVED"})} for i in found if i["status"] == "PENDING_REVIEW"]
        if made:
            self.decide(request, made)
        return found

    def reviewable(self, request: str) -> list[Item]:
        spoken = self.case.type("requests", "review", request, "--json")
        self.case.spoken[-1] = replace(spoken, out="")
        self.case.expect(spoken.code == 0, f"`requests review` exits {spoken.code}: {spoken.err[-300:]}")
        found = spoken.document()
        return list(found) if isinstance(found, list) else []

    def approve(self, request: str) -> None:
        self.case.ask("requests", "approve", request, *DPO)

    def release_args(self, request: str, who: Sequence[str] = APPROVER) -> tuple[object, ...]:
        return ("requests", "release", request, *who, "--output", self.path(".zip"), "--passphrase-file", self.path(".txt"))

    def release(self, request: str, who: Sequence[str] = APPROVER) -> Package:
        args = self.release_args(request, who)
        told = self.case.ask(*args)
        file, passphrase = Path(str(args[-3])), Path(str(args[-1]))
        if not self.case.expect(file.exists() and passphrase.exists(), "the release wrote no package or no passphrase"):
            return Package({"letter.pdf": b"", "manifest.json": b"{}"}, told)
        self.case.same("mode of the passphrase file", oct(passphrase.stat().st_mode & 0o777), "0o600")
        self.case.same("hash of the package", told.get("sha256"), hashlib.sha256(file.read_bytes()).hexdigest())
        return Package(unpacked(file, passphrase), dict(told) | {"path": file, "passphrase": passphrase})

    def held_back(self, request: str, code: int = 5) -> dict[str, Any]:
        """A release that must be refused, and writes nothing."""
        args = self.release_args(request)
        error = self.case.refused(*args, code=code)
        self.case.expect(not Path(str(args[-3])).exists() and not Path(str(args[-1])).exists(), "a refused release left a file behind")
        return error

    def show(self, request: str) -> dict[str, Any]:
        return dict(self.case.ask("requests", "show", request))

    def override(self, request: str, rule: str, reason: str = "DECIDED") -> None:
        for who in (DPO, APPROVER):
            self.case.ask("requests", "override", request, "--rule", rule, "--reason", reason, *who)

    # -- a whole request -------------------------------------------------------------------------------------

    def ready(
        self,
        told: dict[str, Any],
        rows: Iterable[str] = (),
        *,
        answer: str = "package",
        scope: str | None = None,
        mandate: str | None = None,
        agrees: bool = False,
        **form: Any,
    ) -> str:
        """From the receipt to a compiled answer of that kind; its id."""
        request = self.open(told, **form)
        self.identify(request, mandate=mandate, agrees=agrees)
        self.confirm(request, rows)
        compiled = self.compile(request)
        self.case.same("answer", compiled.get("answer"), answer)
        if scope:
            self.case.same("scope", compiled.get("scope"), scope)
        return request

    def answered(
        self,
        told: dict[str, Any],
        rows: Iterable[str] = (),
        *,
        decide: Callable[[Item], Item | None] | None = None,
        answer: str = "package",
        **more: Any,
    ) -> Package:
        """The package of somebody, everything approved as proposed."""
        request = self.ready(told, rows, answer=answer, **more)
        self.review(request, decide)
        self.approve(request)
        found = self.release(request)
        self.whole(found, NEUTRAL if answer == "neutral" else PARTS)
        found.outside["request"] = request
        return found

    # -- what is found ---------------------------------------------------------------------------------------

    def whole(self, package: Package, parts: set[str]) -> None:
        """The files that the contract wants, and a manifest that has the hash of each."""
        names, manifest = set(package.files), package.files["manifest.json"].decode()
        self.case.expect(parts <= names, f"the package lacks {sorted(parts - names)}")
        if parts == NEUTRAL:
            self.case.same("files of a neutral answer", names, NEUTRAL)
        for name, body in package.files.items():
            if name != "manifest.json":
                self.case.expect(hashlib.sha256(body).hexdigest() in manifest, f"the manifest has no hash of {name}")

    def silent(self, package: Package, words: Iterable[str], what: str) -> None:
        """None of these words stands in any file of the package."""
        found = {word: places for word in words if (places := package.where(word))}
        places = sorted({p for where in found.values() for p in where})
        self.case.expect(not found, f"{what}: {len(found)} words that nobody may read stand in {places}: {sorted(found)[:3]}")

    def told(self, package: Package, words: Iterable[str], what: str) -> None:
        """Each of these words stands in data.json and in the page for people."""
        for name in ("data.json", "index.html"):
            missing = [w for w in words if name not in package.where(w)]
            self.case.expect(not missing, f"{what}: {name} lacks {missing[:4]}")

    def outcome(self, request: str) -> str:
        return str(self.show(request).get("outcome"))
