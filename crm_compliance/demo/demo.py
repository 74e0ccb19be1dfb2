"""`make demo`: one night and one subject request from end to end, on the emulator, with a fictitious
organisation.

Everything uses the same commands that an administrator types; the demo only types them. Where a plan waits
for two people, two demo people approve it, and the output says so and why. Where an answer waits for a
review, a demo DPO decides on each item."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crm_compliance.configuration.settings import PREFIX, Settings, environment_of
from crm_compliance.demo.asker import asker_among, rows_of
from crm_compliance.hints import in_words
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from crm_compliance.reports.parts.sentences import WHY, counted
from crm_compliance.wiring.clock import clock_of
from rules.errors import ComplianceError, UsageError
from rules.hints import hint_to
from rules.model.roles import Role

MARK = ".crm-compliance-demo"  # a folder without it is never emptied
PEOPLE = {person.role: person.who for person in DEMO_PEOPLE}
DPO = ("--as", PEOPLE[Role.DPO], "--role", Role.DPO)
APPROVER = ("--as", PEOPLE[Role.APPROVER], "--role", Role.APPROVER)
REPORTS = ("plan.html", "plan.xlsx", "plan.csv", "plan.json", "plan.jsonl")


def run_demo(folder: Path, dossiers: int) -> int:
    """Run the demo in a folder of its own. Raises ComplianceError: with the failed command's exit code."""
    folder = _fresh(folder)
    with _emulator(dossiers) as url:
        night = _Night(folder, url)
        night.say(f"An emulator of Dataverse with {dossiers} fictitious dossiers answers at {url}")
        files = [argument for name in REPORTS for argument in ("--output", str(folder / name))]
        plan = night.type("plan", *files)
        document = night.ask("plans", "show", plan)
        if document["approvals"]["needed"]:
            night.say("\nTwo people have to look at this plan before it may be applied:")
            for code in document["approvals"]["why"]:
                night.say(f"  {code}: {WHY.get(code, '')}")
            night.say("Two demo people look at the report and approve it.")
            for role in document["approvals"]["needed"]:
                night.type("plans", "approve", plan, "--as", PEOPLE[role], "--role", role)
        run = night.type("apply", plan, accept=(0, 6))
        night.type("verify", run, accept=(0, 6))
        night.type("ledger", "verify")
        night.type("history", "export", "--output", str(folder / "ledger.jsonl"))
        certificates, keys = str(folder / "certificates.json"), str(folder / "keys.pem")
        night.type("certificate", run, "--output", certificates)
        night.type("keys", "show", "--output", keys)
        night.type("certificate", "verify", certificates, "--keys", keys)
        night.type("evidence", "--output", str(folder / "evidence.zip"))
        answered = _answer_somebody(night, folder, url)
        night.say("\nWhere each file lies:")
        for name, what in (
            ("plan.html", "the dry-run report, for a browser"),
            ("plan.xlsx", "the plan as a workbook"),
            ("plan.csv", "the plan as a table"),
            ("plan.json", "the plan as one document"),
            ("plan.jsonl", "the plan, one unit a line"),
            ("ledger.jsonl", "the tamper-evident history"),
            ("certificates.json", "the certificates of disposal, signed"),
            ("keys.pem", "the public keys that verify them"),
            ("evidence.zip", "all that an auditor asks for, with the verifier's instructions"),
            *answered,
            ("data", "state store and keys"),
        ):
            night.say(f"  {folder / name}  {what}")
    return 0


def _answer_somebody(night: "_Night", folder: Path, url: str) -> tuple[tuple[str, str], ...]:
    """Answer one request for access, from the receipt to the package; return the files that it wrote, and
    what each is."""
    asker = asker_among(rows_of(url), clock_of(Settings())())
    if asker is None:
        night.say("\nNobody in so small an organisation can ask for an answer worth showing: --dossiers 200 has enough people.")
        return ()
    night.say("\nA fictitious person of the organisation asks what is kept about him or her.")
    form, decisions = folder / "request.json", folder / "decisions.jsonl"
    form.touch(mode=0o600)
    form.write_text(json.dumps(asker.form, ensure_ascii=False, indent=2), encoding="utf-8")
    request = night.type("requests", "open", str(form))
    night.type("requests", "identify", request, "--method", "eid", *DPO)
    night.show("requests", "match", request)
    candidates = night.ask("requests", "match", request)["candidates"]
    night.say(f"{counted(len(candidates), 'candidate')}, strongest first: {', '.join(each['class'] for each in candidates)}")
    who = [each["candidate"] for each in candidates if each["id"] == asker.contact]
    night.type("requests", "confirm", request, *who, *DPO)
    night.type("requests", "compile", request, *DPO, "--plain-folder", str(folder / "working-copy"))
    night.show("requests", "review", request)
    items = [item for item in night.ask("requests", "review", request) if item["status"] == "PENDING_REVIEW"]
    lines = [_decided(item) for item in items]
    decisions.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    left_out = sum(line["status"] == "WITHHELD" for line in lines)
    night.say(
        f"Texts and files that wait: {len(items)}. In earnest somebody reads each; the demo approves the texts"
        + (f", and withholds {counted(left_out, 'file')}." if left_out else ".")
    )
    if lines:
        night.show("requests", "review", request, "--decisions", str(decisions), *DPO)
        night.ask("requests", "review", request, "--decisions", str(decisions), *DPO)
    night.type("requests", "approve", request, *DPO)
    package, passphrase = str(folder / "package.zip"), str(folder / "passphrase.txt")
    night.type("requests", "release", request, "--output", package, "--passphrase-file", passphrase, *APPROVER)
    night.say("The link would go to the person, the passphrase another way. It works while this runs:")
    night.say(f"  {PREFIX}DATA_DIR={shlex.quote(str(folder / 'data'))} {in_words(hint_to('serve'))} --port {_port()}")
    night.say("With another port, write that port in the link.")
    return (
        ("request.json", "what the person asked"),
        ("decisions.jsonl", "what was decided on each text and file"),
        ("working-copy", "the answer as it was compiled, for the DPO alone (open index.html or letter.pdf)"),
        ("package.zip", "the answer as it was released, encrypted with AES-256"),
        ("package.zip.message.txt", "the message to the person: the link, and how the archive is opened"),
        ("passphrase.txt", "its passphrase"),
    )


def _port() -> int:
    """Return the port that the links of the demo name: none of its commands is told another address."""
    return urlsplit(str(Settings.model_fields["public_url"].default)).port or 80


def _decided(item: dict[str, Any]) -> dict[str, str]:
    if item["attachment"] is not None:
        return {"item": item["item"], "status": "WITHHELD", "code": "RF-03"}
    return {"item": item["item"], "status": "APPROVED"}


class _Night:
    """Types commands as a person does, and shows them with what they say."""

    def __init__(self, folder: Path, url: str) -> None:
        # The settings of the shell may name a real CRM: none of them reaches the commands of the demo.
        self._environment = environment_of({"CRM_URL": url, "CRM_TOKEN": "demo", "DATA_DIR": str(folder / "data")})

    def say(self, text: str = "") -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def type(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
        """Run a command in sight and return the id in its last line."""
        self.show(*arguments)
        done = self._run(arguments, accept)
        self.say(done.stdout.rstrip())
        return done.stdout.split()[-1]

    def show(self, *arguments: str) -> None:
        """Show a command whose own output is not for a screen that others see."""
        self.say(f"\n$ crm-compliance {' '.join(arguments)}")

    def ask(self, *arguments: str) -> Any:
        """Run a command out of sight and return its document."""
        answer: Any = json.loads(self._run((*arguments, "--json"), (0,)).stdout)
        return answer

    def _run(self, arguments: Sequence[str], accept: tuple[int, ...]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "crm_compliance", *arguments]
        done = subprocess.run(command, env=self._environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode not in accept:
            error = ComplianceError(
                f"crm-compliance {arguments[0]} ended with exit code {done.returncode}", hint="its own message stands above"
            )
            error.exit_code = max(done.returncode, 1)
            raise error
        return done


def _fresh(folder: Path) -> Path:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(
            "this folder is not the demo's own, so it is left alone", hint="--folder DIR names an empty or new one", where=str(folder)
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    return folder.absolute()


@contextmanager
def _emulator(dossiers: int) -> Iterator[str]:
    command = [sys.executable, "-m", "crm_compliance", "emulator", "serve", "--port", "0", "--dossiers", str(dossiers), "--limits", "off"]
    with subprocess.Popen(command, env=environment_of({}), stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout is not None else ""
            if not line.startswith("emulator ready "):
                raise ComplianceError("the emulator did not start")
            yield line.split()[-1]
        finally:
            server.terminate()  # it would go on alone
