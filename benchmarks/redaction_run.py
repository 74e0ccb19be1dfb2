"""Compiles one answer over planted names with whichever product is on the path, approves whatever waits, and
tells what would go out.

A file of its own, run by its path, so that it can measure another working tree: it reads cases from its first
argument (JSON), writes what became of each to its second. No file is named by the product that is measured;
the letter is left out, which says nothing of its own.
"""

import base64
import io
import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from inspect import signature
from pathlib import Path
from typing import Any

import msgspec
import pikepdf

from connectors.emulator.serving.server import running
from crm_compliance.answer_package import package
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.store import SqlStore
from jobs.model.answer import Compilation, ItemStatus
from jobs.requests.answer.attachments import attachments_of
from jobs.requests.answer.compile import compile_request
from rules.errors import Refused
from rules.model.requests import Right
from rules.policy.loader import load_policy
from tests.drivers.clock import Clock
from tests.drivers.deciding import ask
from tests.drivers.night import Night
from tests.drivers.organisation import TOKEN

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)


def main() -> None:
    cases: list[dict[str, Any]] = json.loads(Path(sys.argv[1]).read_text())["cases"]
    blank = _blank()
    known: list[list[str]] = json.loads(Path(sys.argv[1]).read_text())["known"]
    setattr(package, "letter_pdf", lambda *_, **__: blank)  # noqa: B010  (not a name that it exports)
    with tempfile.TemporaryDirectory() as folder, running(token=TOKEN, limits=False) as emulator:
        night = _night(emulator, Path(folder))
        rows, compilation = _compiled(night, cases, known)
        results = [_fate(night, compilation, rows[number], case) for number, case in enumerate(cases)]
        night.close()
    Path(sys.argv[2]).write_text(json.dumps(results))


def _blank() -> bytes:
    """A letter that says nothing: it would say what the data say."""
    out = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.save(out)
    return out.getvalue()


def _night(emulator: Any, folder: Path) -> Night:
    text = (files("rules") / "policy" / "schedules" / "childfocus.yaml").read_text(encoding="utf-8")
    clock = Clock(NOW)
    options: dict[str, Any] = {"clock": clock, "sealer": Sealing(folder), "folder": folder}
    known = signature(SqlStore.open).parameters  # an earlier product does not ask for all of them
    store = SqlStore.open(f"sqlite:///{folder / 'state.db'}", **{name: value for name, value in options.items() if name in known})
    return Night(emulator, store, KeyRing.open(folder, NOW), load_policy(text, source="childfocus.yaml"), clock)


def _compiled(night: Night, cases: list[dict[str, Any]], known: list[list[str]]) -> tuple[list[str], Compilation]:
    """One dossier of a child with all of it; who is known has a role in it."""
    child = night.contact(firstname="Lotte", lastname="Zandstra (fictief)", birthdate="2010-03-04")
    dossier = night.dossier("grooming", closed=False, fiches=0, cf_name="D-2026-0117")
    night.party(child, "child", dossier=dossier)
    for first, last in known:
        night.party(night.contact(firstname=first, lastname=last), "parent", dossier=dossier)
    rows = [_planted(night, dossier, case) for case in cases]
    request = ask(night, Right.ACCESS, child)
    return rows, compile_request(night.context, request.id, "dora", "dpo")


def _planted(night: Night, dossier: str, case: dict[str, Any]) -> str:
    if case["row"] == "email":
        bind = {"regardingobjectid_cf_dossier_email@odata.bind": f"/cf_dossiers({dossier})"}
        return night.create("emails", "activityid", subject="Vraag", description=case["text"], **bind)
    if case["row"] == "note":
        return night.note("cf_dossier", dossier, notetext=case["text"])
    content = {"isdocument": True, "filename": case["name"], "mimetype": case["media_type"], "documentbody": case["body"]}
    return night.note("cf_dossier", dossier, **content)


def _fate(night: Night, compilation: Compilation, row: str, case: dict[str, Any]) -> str:
    """What became of one name: `missing`, `removed`, `withheld`, `stopped`, `unreadable` or `reaches`."""
    items = [item for item in compilation.items if item.source[1].lower() == row.lower()]
    if not items:
        return "missing"
    released = tuple(
        msgspec.structs.replace(item, status=ItemStatus.APPROVED) if item.status is ItemStatus.PENDING_REVIEW else item for item in items
    )
    one = msgspec.structs.replace(compilation, items=released)
    if not any(item.is_shown and (item.proposal or item.attachment) for item in released):
        return "withheld"
    try:
        made = package.package_of(one, night.context.organisation, attachments_of(night.context, one))
    except Refused as refusal:
        return {"needle": "stopped", "unchecked": "unreadable"}.get(refusal.code, f"refused: {refusal.code}")
    return "reaches" if _is_told(made, case) else "removed"


def _is_told(made: dict[str, bytes], case: dict[str, Any]) -> bool:
    """Whether the name, or what was written for it, is in what goes out."""
    body = base64.b64decode(case["body"])
    for name, content in made.items():
        if name.startswith("attachments/"):
            wanted = _letters(case["last"])
            if content == body or any(wanted in _letters(text) for text in _readings(content)):
                return True
        elif name == "data.json":
            told = "\n".join(str(value) for item in json.loads(content)["items"] for value in item["fields"].values())
            told = told.replace("Lotte", "").replace("Zandstra", "")
            if _spoken(case, told):
                return True
    return False


def _spoken(case: dict[str, Any], told: str) -> bool:
    wanted = (
        {_letters(case["written"])} if case["form"] == "initial of the surname" else {_letters(case["last"]), _letters(case["written"])}
    )
    said, turned = _letters(told), _letters(told)[::-1]
    return any(len(letters) > 2 and (letters in said or letters in turned) for letters in wanted)


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", re.sub(r"<[^>]*>", "", text).replace("ß", "ss"))
    return "".join(one for one in plain.lower() if one.isalnum())


def _readings(content: bytes) -> Iterator[str]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield content.decode(encoding, "ignore")


if __name__ == "__main__":
    main()
