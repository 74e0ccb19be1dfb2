"""Answers in two worlds: what an unknown person and a suspect get is compared to the last detail."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf
import pyzipper

from tests.independent.asking import DPO, Asking, Package, Person, pdf_metadata, pictures, unpacked
from tests.independent.case import Case

INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?|D:\d{14}[^\"]{0,7}")
DIGEST = re.compile(r"\b[0-9a-f]{32,128}\b")
REFERENCE = re.compile(r"DSR-\d{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")  # the short number of a request
NAME = {"firstname": "Voorbeeld", "lastname": "Persoon (fictief)"}
Tell = Callable[[Case, Asking], list[str]]


def masked(text: str, *ids: str) -> str:
    for one in sorted(filter(None, ids), key=len, reverse=True):
        text = text.replace(one, "ID")
    return DIGEST.sub("DIGEST", INSTANT.sub("WHEN", REFERENCE.sub("ID", text)))


@dataclass
class Seen:
    """All that can be seen of one answer, from the receipt to the archive."""

    request: str
    package: Package
    steps: list[tuple[str, Any]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    ledger: list[str] = field(default_factory=list)
    calendar: str = ""
    listed: str = ""
    entries: list[tuple[Any, ...]] = field(default_factory=list)


def another_world(case: Case) -> None:
    """An empty CRM and a product that knows nothing yet."""
    case.load()
    case.organisation.reset(case.at)
    case.data = case.folder / f"data{len(list(case.folder.glob('data*'))) + 1}"


def answered(case: Case, asking: Asking, told: dict[str, Any], rows: list[str], *, mandate: str | None = None, **form: Any) -> Seen:
    """The same commands for everybody; nothing in them depends on what was found."""
    steps: list[tuple[str, Any]] = []
    request = asking.open(told, **form)
    shown = []

    def step(what: str, *args: object) -> dict[str, Any]:
        spoken = case.type("requests", *args, "--json")
        document = spoken.document()
        if what in ("match", "confirm"):  # who was found and typed in is the DPO's alone
            document = {"keys": sorted(document)}
        steps.append((what, (spoken.code, masked(json.dumps(document, sort_keys=True), request), masked(spoken.err, request))))
        shown.append(masked(json.dumps(asking.show(request), sort_keys=True), request))
        return dict(spoken.document() or {}) if not isinstance(spoken.document(), list) else {}

    step("identify", "identify", request, "--method", "known_channel", *(("--mandate", mandate) if mandate else ()), *DPO)
    found = step("match", "match", request)
    chosen = [c["candidate"] for c in found.get("candidates", []) if c["id"] in rows]
    case.same("candidates that are the person", len(chosen), len(rows))
    step("confirm", "confirm", request, *(chosen or ["--none"]), *DPO)
    step("compile", "compile", request, *DPO)
    early = asking.release_args(request)
    step("early release", *early[1:])
    step("review", "review", request)
    nothing = asking.path(".jsonl")
    nothing.write_text("")
    step("decisions", "review", request, "--decisions", nothing, *DPO)
    step("extend", "extend", request, "--reason", "complexity", "--notified-at", case.at, *DPO)
    step("approve", "approve", request, *DPO)
    same = asking.release_args(request, ("--as", "dora", "--role", "approver"))
    step("release by the same person", *same[1:])
    args = asking.release_args(request)
    told_ = step("release", *args[1:])
    path, secret = Path(str(args[-3])), Path(str(args[-1]))
    case.expect(path.exists(), f"no answer was released: {steps[-1]}")
    steps = [(what, (code, mask_release(out), err)) for what, (code, out, err) in steps]
    seen = Seen(request, Package(unpacked(path, secret), told_), steps, shown)
    with pyzipper.AESZipFile(path) as archive:
        seen.entries = [(i.filename, i.compress_type, i.date_time[:3], i.external_attr, i.comment, i.extra[:4]) for i in archive.infolist()]
    asking.whole(seen.package, {"letter.pdf", "manifest.json"})
    seen.ledger = [
        masked(json.dumps({"kind": e["kind"], "data": e["data"]}, sort_keys=True), request)
        for e in case.ledger()
        if request in json.dumps(e["data"]) or "request" in e["kind"]
    ]
    case.ask("requests", "calendar", "--output", "calendar.ics")
    seen.calendar = masked((case.folder / "calendar.ics").read_text(), request)
    seen.listed = masked(json.dumps(case.ask("requests", "list"), sort_keys=True), request)
    return seen


def mask_release(out: str) -> str:
    return re.sub(r'"(link|file|request|message)": "[^"]*"', r'"\1": "…"', out)


def alike(case: Case, what: str, one: Seen, two: Seen) -> None:
    """Two answers that differ in nothing but number and time."""
    a, b = one.package, two.package
    case.same(f"{what}: files", list(b.files), list(a.files))
    case.same(f"{what}: text of the letter", masked(b.letter, two.request), masked(a.letter, one.request))
    meta = [masked(json.dumps(pdf_metadata(p.files["letter.pdf"]), sort_keys=True), s.request) for p, s in ((a, one), (b, two))]
    case.same(f"{what}: metadata", meta[1], meta[0])
    xmp = [masked(whole_metadata(p.files["letter.pdf"]), s.request) for p, s in ((a, one), (b, two))]
    case.same(f"{what}: XMP", re.sub(r"(uuid|xmp\.[di]id)[:\w+/=-]*", "", xmp[1]), re.sub(r"(uuid|xmp\.[di]id)[:\w+/=-]*", "", xmp[0]))
    case.same(
        f"{what}: manifest", masked(b.files["manifest.json"].decode(), two.request), masked(a.files["manifest.json"].decode(), one.request)
    )
    drawn = [pictures(p.files["letter.pdf"], [s.request, *REFERENCE.findall(p.letter)]) for p, s in ((a, one), (b, two))]
    case.expect(drawn[0] == drawn[1], f"{what}: the pages look different")
    case.same(f"{what}: entries of the archive", two.entries, one.entries)
    for (name, left), (_, right) in zip(one.steps, two.steps, strict=True):
        case.same(f"{what}: step {name}", right, left)
    case.same(f"{what}: states", two.shown, one.shown)
    case.same(f"{what}: register", two.listed, one.listed)
    case.same(f"{what}: calendar", two.calendar, one.calendar)
    case.same(f"{what}: ledger", two.ledger, one.ledger)


def whole_metadata(body: bytes) -> str:

    with pikepdf.open(io.BytesIO(body)) as document:
        told = {str(k): str(v) for k, v in document.docinfo.items()}
        stream = document.Root.get("/Metadata")
        return json.dumps(told, sort_keys=True) + (stream.read_bytes().decode() if stream is not None else "") + str(len(document.pages))


def me(asking: Asking) -> Person:
    return asking.person("1985-07-30", **NAME, emailaddress1="persoon@example.org")


def nobody(case: Case, asking: Asking) -> list[str]:
    case.dossier("runaway", child=case.child())
    return []


def asks(asking: Asking) -> dict[str, Any]:
    return {**NAME, "birthdate": "1985-07-30", "nationalnumbers": [], "phones": [], "emails": ["persoon@example.org"]}


def worlds(case: Case, *others: Tell, **form: Any) -> None:
    asking = Asking(case)
    rows = nobody(case, asking)
    first = answered(case, asking, asks(asking), rows, **form)
    case.same("outcome", asking.outcome(first.request), "NEUTRAL")
    for tell in others:
        another_world(case)
        rows = tell(case, asking)
        alike(case, tell.__name__, first, answered(case, asking, asks(asking), rows, **form))
