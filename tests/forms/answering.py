"""Somebody asks what is known about them, and gets a package: every step from the receipt to the release,
each item approved as it is proposed."""

import json
from pathlib import Path
from typing import Any

import pyzipper

from tests.drivers.typist import DORA, ERIK
from tests.forms.facts import Asker
from tests.forms.house import House


def package_of(house: House, who: str, asker: Asker) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The items that were reviewed, and the files of the answer."""
    form = {"right": "access", "requester_kind": "unknown", "received_at": "2026-11-25T10:00:00Z", "channel": "email", "language": "nl"}
    request = house.ask("requests", "open", "-", given=json.dumps({**form, "given": asker.told, "on_behalf_of": None}))["request"]
    house.ask("requests", "identify", request, "--method", "eid", *DORA)
    found = house.ask("requests", "match", request)["candidates"]
    chosen = [each["candidate"] for each in found if each["id"] == asker.contact]
    assert chosen, (who, found)
    house.ask("requests", "confirm", request, *chosen, *DORA)
    compiled = house.ask("requests", "compile", request, *DORA)
    assert compiled["answer"] == asker.answer, (who, compiled)
    items = house.ask("requests", "review", request)
    waiting = [item["item"] for item in items if item["status"] == "PENDING_REVIEW"]
    if waiting:
        decisions = "".join(json.dumps({"item": item, "status": "APPROVED"}) + "\n" for item in waiting)
        house.ask("requests", "review", request, "--decisions", "-", *DORA, given=decisions)
    house.ask("requests", "approve", request, *DORA)
    file, secret = house.folder / f"{who}.zip", house.folder / f"{who}.txt"
    house.ask("requests", "release", request, *ERIK, "--output", file, "--passphrase-file", secret)
    return items, unpacked(file, secret)


def unpacked(file: Path, secret: Path) -> dict[str, bytes]:
    with pyzipper.AESZipFile(file) as archive:
        archive.setpassword(secret.read_text().strip().encode())
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
