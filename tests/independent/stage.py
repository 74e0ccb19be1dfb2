"""An emulator and the product as processes of their own, set back to one moment as often as wanted."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.independent.emulator import TOKEN, Emulator, command, environment

if TYPE_CHECKING:  # it says what commands came to with what is here
    from tests.independent.inside import CommandLine
    from tests.independent.prompt import Prompt

TENANT, CLIENT, SECRET = "5b1f0c7e-3d0a-4f11-9f8a-000d3ab1c001", "9d3c1f60-0000-4000-8000-00000000c11e", "zeer geheim"
LONGEST_S = 250.0  # of one command, on however busy a machine


@dataclass(frozen=True)
class Spoken:
    """What one command came to; `code` is negative for a signal."""

    args: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float = 0.0

    def document(self) -> Any:
        try:
            return json.loads(self.out)
        except ValueError:
            return {}

    def error(self) -> dict[str, Any]:
        """The last line of stderr as an error document; empty where it is none."""
        try:
            found = json.loads(self.err.strip().splitlines()[-1])["error"]
        except (ValueError, LookupError, TypeError):
            return {}
        return found if isinstance(found, dict) else {}


class Stage(Emulator):
    """One organisation and one data folder. `keep` remembers both as they are, `set_back` makes them so
    again, at the same address."""

    def __init__(
        self, folder: Path, at: str, *, settings: dict[str, str], sign_in: bool = False, prompt: Prompt | CommandLine | None = None
    ) -> None:
        """`prompt` types the commands that run to their end."""
        self.at = at
        self.prompt = prompt
        self.sign_in = sign_in
        self.ca = folder / "ca.pem"
        self.data = folder / "data"
        self._kept = folder / "kept"
        self._settings = settings
        self._began = 0.0
        (folder / "objects").mkdir(exist_ok=True)
        options = ["--limits", "on", "--state", str(folder / "crm.db"), *(("--tls", str(self.ca)) if sign_in else ())]
        super().__init__(folder, folder / "emulator.log", *options)

    @property
    def env(self) -> dict[str, str]:
        """What the product is told."""
        given = {
            "CRM_URL": self.url,
            "DATA_DIR": str(self.data),
            "STORAGE_DIR": str(self.folder / "objects"),
            "CLOCK": self.at,
            **({"CRM_CA_FILE": str(self.ca)} if self.sign_in else {"CRM_TOKEN": TOKEN}),
            **self._settings,
        }
        if self.sign_in:
            authority = f"{self.url.split('/api/')[0]}/{TENANT}"
            given |= {"CRM_CLIENT_ID": CLIENT, "CRM_CLIENT_SECRET": SECRET, "CRM_TENANT_ID": TENANT, "CRM_AUTHORITY": authority}
        return environment() | {f"CRM_COMPLIANCE_{name}": value for name, value in given.items()}

    # -- the emulator ----------------------------------------------------------------------------------------

    def start(self) -> None:
        super().start()
        if self.sign_in:
            self.api.http.trust_env = False  # else a bundle named in the environment wins
            self.api.http.verify = str(self.ca)
            self.api.control("PUT", "authority", {"tenants": [TENANT], "applications": {CLIENT: {"secret": SECRET}}})
        self.api.control("PUT", "clock", {"now": self.at})

    def keep(self) -> None:
        self.stop()
        shutil.rmtree(self._kept, ignore_errors=True)
        self._kept.mkdir()
        for path in self.folder.glob("crm.db*"):
            shutil.copy2(path, self._kept)
        shutil.copytree(self.data, self._kept / "data")
        self.start()

    def set_back(self) -> None:
        self.stop()
        for path in self.folder.glob("crm.db*"):
            path.unlink()
        for path in self._kept.glob("crm.db*"):
            shutil.copy2(path, self.folder)
        shutil.rmtree(self.data)
        shutil.copytree(self._kept / "data", self.data)
        self.start()

    # -- the product -----------------------------------------------------------------------------------------

    def begin(self, *args: str) -> subprocess.Popen[str]:
        """Start a command; its output goes to files, so that no full pipe holds it up."""
        self._began = time.monotonic()
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            return subprocess.Popen(
                command(*args, "--json"),
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )

    def end(self, process: subprocess.Popen[str], args: Sequence[str]) -> Spoken:
        code = process.wait(LONGEST_S)
        seconds = time.monotonic() - self._began
        return Spoken(tuple(args), code, (self.folder / "out").read_text(), (self.folder / "err").read_text(), seconds)

    def run(self, *args: str) -> Spoken:
        if self.prompt:
            return self.prompt.type((*args, "--json"), self.env, self.folder)
        process = self.begin(*args)
        try:
            return self.end(process, args)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def run_killed(self, args: Sequence[str], *, after_s: float | None = None, at_request: int = 0) -> Spoken:
        """Start a command and send it SIGKILL some time after its start, or once the CRM has met so many
        requests; or it ends first."""
        before = self.api.control("GET", "stats")["requests"]
        began = time.monotonic()
        process = self.begin(*args)
        while process.poll() is None:
            if after_s is not None and time.monotonic() - began >= after_s:
                break
            if at_request and self.api.control("GET", "stats")["requests"] - before >= at_request:
                break
            if time.monotonic() - began > LONGEST_S:
                break
            time.sleep(0.003)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        return self.end(process, args)

    def journal(self) -> list[tuple[str, str, str, str, str, str]]:
        """(run, table, id, state, disposition, code) of each unit, straight from the state store."""
        with closing(sqlite3.connect(f"file:{self.data / 'state.db'}?mode=ro", uri=True)) as database:
            rows = database.execute("select run, unit_table, unit_id, state, doc from actions order by position").fetchall()
        return [
            (run, table, row, state, (doc := json.loads(text))["disposition"], doc.get("code", "")) for run, table, row, state, text in rows
        ]
