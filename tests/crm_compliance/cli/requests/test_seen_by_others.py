"""What anybody but the DPO sees while a request is answered is the same for who is excluded and who is
unknown: SUS-04, SUS-07, R-111.

Beside the commands of `test_requests_side_by_side.py`: what other roles are shown and refused, logs at their
most talkative, the calendar, the evidence pack, the order in which the CRM is asked, and the files of the
data folder with their sizes. Everybody is fictitious.
"""

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.crm_compliance.cli.requests.cases import JAN, PIM, a_case
from tests.crm_compliance.side_by_side import Asker, masked, requests_sent
from tests.drivers.night import Night
from tests.drivers.requesting import a_form, written
from tests.drivers.typist import DORA, ERIK, Typist

pytestmark = pytest.mark.usefixtures("real_definitions")  # all requests are compared
ANNA = ("--as", "anna", "--role", "auditor")
CARL = ("--as", "carl", "--role", "crm_admin")


class Onlooker(Asker):
    """Somebody who sees what others than the DPO see, after some steps of an answer."""

    def __init__(self, typist: Typist, folder: Path, steps: tuple[str, ...]) -> None:
        super().__init__(typist, folder)
        self.steps = steps
        self.seen: dict[str, str] = {}
        self.order: dict[str, list[tuple[str, str]]] = {}
        self.typist.set(LOG_LEVEL="DEBUG")

    def look(self, name: str, *arguments: object, json: bool = True) -> None:
        """Type a command that may well be refused; keep how it ended, what it said on both streams, and what
        it asked in which order."""
        self.typist.set(DATA_DIR=str(self.folder / "data"), CLOCK=self.now.isoformat())
        with requests_sent() as sent:
            said = self.typist.type(*arguments, *(("--json",) if json else ()))
        text = f"{said.code}\n{said.out}\n{said.err}".replace(str(self.folder), "FOLDER")
        self.seen[name] = re.sub(r"[0-9.]+ GB are free", "GB are free", _without_keys(text))  # others write there too
        # Definitions of tables, and whether they have rows in long-term retention, are asked for by several
        # threads at once: of the second sort each is asked for alike, in any order.
        retained = [each for each in sent if 'datasource="retained"' in each[1]]
        others = [each for each in sent if "EntityDefinitions" not in each[1] and each not in retained]
        self.order[name] = [*others, *sorted(retained)]

    def look_around(self, step: str) -> None:
        if step not in self.steps:
            return
        request = self.trail.request
        for number, line in enumerate(
            (
                ("requests", "list"),
                ("requests", "show", request),
                ("requests", "show", request, *ANNA),
                ("requests", "show", request, *ERIK),
                ("requests", "review", request, *ANNA),
                ("requests", "match", request, *ANNA),
                ("requests", "notices", request, *CARL),
                ("requests", "approve", request, *ANNA),
                (
                    "requests",
                    "release",
                    request,
                    "--output",
                    self.folder / f"{step}.zip",
                    "--passphrase-file",
                    self.folder / "no.txt",
                    *ERIK,
                ),
                ("requests", "decide", request, "--refuse", "RF-01", *CARL),
                ("holds", "list", *ANNA),
                ("history", "list"),
            )
        ):
            self.look(f"{step} {number} {' '.join(str(word) for word in line[:2])}", *line)
        self.look(f"{step} on a screen", "requests", "show", request, json=False)
        self.look(f"{step} all on a screen", "requests", "list", json=False)
        self.look(f"{step} calendar", "requests", "calendar", "--output", self.folder / f"{step}.ics")
        self.seen[f"{step}.ics"] = masked((self.folder / f"{step}.ics").read_text(encoding="utf-8"))
        self.seen[f"{step} files"] = "\n".join(map(repr, self.files()))

    def files(self) -> list[tuple[str, int]]:
        """Every file below the data folder with its size."""
        found = (self.folder / "data").rglob("*")
        return sorted(
            (re.sub(r"[0-9a-f]{8,}", "ID", str(file.relative_to(self.folder))), file.stat().st_size) for file in found if file.is_file()
        )

    def go(self, given: dict[str, Any], contact: str = "", **form: Any) -> None:
        opened = self.type("open", "requests", "open", written(self.folder, a_form(given=given, **form)))
        request = self.trail.request = str(opened.document["request"])
        self.look_around("opened")
        self.type("identify", "requests", "identify", request, "--method", "eid", *DORA)
        found = self.type("match", "requests", "match", request, *DORA).document["candidates"]
        names = [each["candidate"] for each in found if each["id"] == contact]
        self.type("confirm", "requests", "confirm", request, *(names or ["--none"]), *DORA)
        self.type("compile", "requests", "compile", request, *DORA)
        if form["right"] != "access":
            self.type("decide", "requests", "decide", request, "--grant", *DORA)
        self.look_around("compiled")
        self.type("approve", "requests", "approve", request, *DORA)
        files = ("--output", self.folder / "answer.zip", "--passphrase-file", self.folder / "answer.txt")
        self.type("release", "requests", "release", request, *files, *ERIK)
        self.look_around("released")
        self.type("close", "requests", "close", request, "--outcome", "NEUTRAL", *DORA)
        self.look_around("closed")
        self.look("round", "run", "requests")
        self.look("doctor", "doctor")
        self.look("evidence", "evidence", "--output", self.folder / "evidence.zip")
        with zipfile.ZipFile(self.folder / "evidence.zip") as archive:
            for name in (name for name in archive.namelist() if not name.startswith("keys/")):
                text = archive.read(name).decode("utf-8", "replace")
                self.seen[f"evidence {masked(name)}"] = _without_keys(text) if not name.endswith(".pem") else str(len(text))


def _without_keys(text: str) -> str:
    return re.sub(r"\b([rs]-\d{4}-\d\d-)[0-9a-f]{8,}", r"\1KEY", masked(text))


@pytest.mark.parametrize(("right", "steps"), [("access", ("opened", "released")), ("erasure", ("compiled", "closed"))])
def test_nobody_but_the_dpo_sees_a_difference_at_any_step(typist: Typist, org: Night, right: str, steps: tuple[str, ...]) -> None:
    person = org.contact(firstname="Jan", lastname="Wouterlood (fictief)", emailaddress1="jan@example.org", birthdate="1980-05-06",
                         telephone1="+32470112233")  # fmt: skip
    a_case(org, person)
    excluded, unknown = (Onlooker(typist, typist.folder / name, steps) for name in ("one", "two"))
    excluded.go(JAN, person, right=right)
    unknown.go(PIM, right=right)
    assert excluded.seen.keys() == unknown.seen.keys()
    for name, seen in excluded.seen.items():
        assert seen.splitlines() == unknown.seen[name].splitlines(), name
    assert [name for name in excluded.order if excluded.order[name] != unknown.order[name]] == []
