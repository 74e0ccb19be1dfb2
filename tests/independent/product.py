"""The product as its commands: each a process or a prompt, and what a check of it finds."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.independent.emulator import TOKEN, command, environment
from tests.independent.inside import CommandLine
from tests.independent.prompt import Prompt
from tests.independent.stage import Spoken


@dataclass
class Findings:
    """What the kit saw."""

    problems: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        self.problems.append(text)

    def check(self, holds: object, text: str) -> None:
        if not holds:
            self.problems.append(text)


class Product:
    """The installed command, as another program calls it; with a `prompt`, typed there."""

    def __init__(self, folder: Path, url: str, as_of: str, zone: str, prompt: Prompt | CommandLine | None = None) -> None:
        self.folder = folder
        self.prompt = prompt
        self.spoken = ""
        self.env = environment() | {
            "CRM_COMPLIANCE_CRM_URL": url,
            "CRM_COMPLIANCE_CRM_TOKEN": TOKEN,
            "CRM_COMPLIANCE_DATA_DIR": str(folder / "data"),
            "CRM_COMPLIANCE_STORAGE_DIR": str(folder / "objects"),
            "CRM_COMPLIANCE_CLOCK": as_of,
            "TZ": zone,
        }

    def run(self, *args: str) -> Spoken:
        if self.prompt:
            spoken = self.prompt.type(args, self.env, self.folder)
        else:
            done = subprocess.run(
                command(*args),
                env=self.env,
                cwd=self.folder,
                text=True,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=1800,
                check=False,
            )
            spoken = Spoken(args, done.returncode, done.stdout, done.stderr)
        self.spoken += spoken.out + spoken.err
        return spoken

    def json(self, findings: Findings, *args: str, expect: tuple[int, ...] = (0,)) -> Any:
        done = self.run(*args, "--json")
        if done.code not in expect:
            findings.problem(f"`{' '.join(args)}` exits {done.code}, not {expect}: {done.err.strip()[-1500:]}")
        try:
            return json.loads(done.out)
        except ValueError:
            if done.code in expect:
                findings.problem(f"`{' '.join(args)}` prints no JSON document: {done.out[:200]!r}")
            return {}
