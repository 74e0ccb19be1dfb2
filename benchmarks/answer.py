"""How long it takes to compile and to release the answer to somebody with many fiches, beside downloading the
same rows and no more.

The emulator runs in a process of its own, and the product as people run it: one command after another.
Everybody is fictitious.

    python -m benchmarks.answer [--fiches 500]

It ends with 1 where compiling takes 30 seconds or more.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import orjson
import requests

from benchmarks.plan import emulator
from crm_compliance.configuration.settings import environment_of

LIMIT_S = 30.0
TEXT = (
    "{name} belt over een chatgroep en spreekt met Bram Voorbeeld (fictief), te bereiken op 0475 12 34 {number:02d}. "
    "De ouders wonen in de Voorbeeldstraat {number}, 1000 Brussel; een juf, mevrouw Janssens, weet ervan. Alles is fictief. "
)
PERSON = {"firstname": "Lotte", "lastname": "Zandstra (fictief)", "birthdate": "2010-03-04", "emailaddress1": "lotte@example.org"}
DPO = ("--as", "dora", "--role", "dpo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fiches", type=int, default=500)
    given = parser.parse_args()
    with emulator(200) as url, tempfile.TemporaryDirectory() as folder:
        crm = Crm(url)
        contact, dossier = crm.load(given.fiches)
        floor = crm.downloaded(dossier)
        product = Product(url, Path(folder))
        request = product.asked(contact)
        compiling, compiled = product.timed("compile", request, *DPO)
        print(f"floor: {floor:.2f} s to download the rows of the dossier")
        print(f"compile: {compiling:.1f} s, {compiled['items']} items, ratio {compiling / floor:.1f}")
        product.reviewed(request)
        releasing, _ = product.timed(
            "release", request, "--as", "erik", "--role", "approver", "--output", "package.zip", "--passphrase-file", "passphrase.txt"
        )
        size = (Path(folder) / "package.zip").stat().st_size
        print(f"release: {releasing:.1f} s, a package of {size / 1e6:.1f} MB, ratio {releasing / floor:.1f}")
    if compiling >= LIMIT_S:
        print(f"compiling takes {compiling:.1f} s, the limit is {LIMIT_S:.0f} s")
        sys.exit(1)


class Crm:
    """The emulated CRM, spoken with plain requests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.headers.update({"Authorization": "Bearer bench", "OData-Version": "4.0", "OData-MaxVersion": "4.0"})

    def load(self, fiches: int) -> tuple[str, str]:
        """A child with one dossier of many fiches, each with a note, every second with a recording."""
        contact, dossier, bram = (str(uuid.uuid4()) for _ in range(3))
        self._post("contacts", contactid=contact, **PERSON)
        self._post("contacts", contactid=bram, firstname="Bram", lastname="Voorbeeld (fictief)", telephone1="0475 12 34 56")
        self._post("cf_dossiers", cf_dossierid=dossier, cf_name="D-1", cf_categories="100000021", cf_openedon="2026-01-05T10:00:00Z")
        for person, role in ((contact, 100000000), (bram, 100000007)):
            links = {"cf_ContactId@odata.bind": f"/contacts({person})", "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
            self._post("cf_parties", cf_partyid=str(uuid.uuid4()), cf_role=role, **links)
        for number in range(fiches):
            fiche, at = str(uuid.uuid4()), "2026-10-01T10:00:00Z"
            text = TEXT.format(name="Lotte", number=number % 90 + 1) * 3
            of_dossier = {"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
            self._post("cf_fiches", cf_ficheid=fiche, cf_name=f"F-{number}", cf_communicatedon=at, cf_summary=text, **of_dossier)
            of_fiche: dict[str, Any] = {"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"}
            self._post("annotations", annotationid=str(uuid.uuid4()), subject="nota (fictief)", notetext=text, **of_fiche)
            if number % 2:
                link = {"cf_FicheId@odata.bind": f"/cf_fiches({fiche})"}
                self._post(
                    "cf_recordings", cf_recordingid=str(uuid.uuid4()), cf_name=f"R-{number}", cf_startedon=at, cf_transcript=text, **link
                )
        return contact, dossier

    def downloaded(self, dossier: str) -> float:
        began = time.perf_counter()
        for path in (f"cf_fiches?$filter=_cf_dossierid_value eq {dossier}", "annotations?$select=notetext", "cf_recordings"):
            link = self.url + path
            while link:
                document = orjson.loads(self.http.get(link).content)
                link = document.get("@odata.nextLink", "")
        return time.perf_counter() - began

    def _post(self, table: str, **row: Any) -> None:
        self.http.post(self.url + table, json=row).raise_for_status()


class Product:
    """The product in a folder of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = environment_of({"CRM_URL": url, "CRM_TOKEN": "bench", "DATA_DIR": str(folder / "data")})

    def asked(self, contact: str) -> str:
        """An access request of the person, identified and confirmed."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        form: dict[str, Any] = {
            "right": "access",
            "requester_kind": "child",
            "received_at": now,
            "channel": "email",
            "language": "nl",
            "on_behalf_of": None,
        }
        person = {key: PERSON[key] for key in ("firstname", "lastname", "birthdate")}
        form["given"] = person | {"nationalnumbers": [], "phones": [], "emails": [PERSON["emailaddress1"]]}
        request = str(self.typed("open", "-", stdin=json.dumps(form))["request"])
        self.typed("identify", request, "--method", "eid", *DPO)
        found = self.typed("match", request)["candidates"]
        self.typed("confirm", request, *(each["candidate"] for each in found if each["id"] == contact), *DPO)
        return request

    def reviewed(self, request: str) -> None:
        waiting = [item["item"] for item in self.typed("review", request) if item["status"] == "PENDING_REVIEW"]
        lines = "".join(json.dumps({"item": item, "status": "APPROVED"}) + "\n" for item in waiting)
        (self.folder / "decisions.jsonl").write_text(lines, encoding="utf-8")
        self.typed("review", request, "--decisions", "decisions.jsonl", *DPO)
        self.typed("approve", request, *DPO)

    def timed(self, *words: str) -> tuple[float, Any]:
        began = time.perf_counter()
        answer = self.typed(*words)
        return time.perf_counter() - began, answer

    def typed(self, *words: str, stdin: str | None = None) -> Any:
        command = [sys.executable, "-m", "crm_compliance", "requests", *words, "--json"]
        done = subprocess.run(command, input=stdin, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"requests {words[0]} ended with {done.returncode}: {done.stderr[-500:]}")
        return json.loads(done.stdout)


if __name__ == "__main__":
    main()
