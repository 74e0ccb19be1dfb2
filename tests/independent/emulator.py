"""The emulator as a process of its own, at an address that it keeps when it is stopped and started."""

import os
import subprocess
import sys
from pathlib import Path

from tests.independent.wire import WebApi

ROOT = Path(__file__).parents[2]
TOKEN = "chaos-token"
SCRIPT = Path(sys.executable).with_name("crm-compliance")


def command(*args: str) -> list[str]:
    """The console script where it is installed beside this Python, else the module."""
    return [str(SCRIPT), *args] if SCRIPT.exists() else [sys.executable, "-m", "crm_compliance", *args]


def environment() -> dict[str, str]:
    """The environment of a process that is told nothing of the product yet, but not to wait half an hour for
    a CRM that fails."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("CRM_COMPLIANCE_")}
    return others | {"PYTHONPATH": str(ROOT), "CRM_COMPLIANCE_CRM_PATIENCE_S": "0"}


class Emulator:
    """One emulator, empty at first; `options` are those of its command."""

    def __init__(self, folder: Path, log: Path, *options: str) -> None:
        self.folder = folder
        self.port = 0
        self.url = ""
        self.api: WebApi
        self._options = options
        self._log = log.open("a")
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            command("emulator", "serve", "--port", str(self.port), "--empty", "--token", TOKEN, *self._options),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=self.folder,
            env=environment(),
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("emulator ready "):
            self._end(self._process)
            raise RuntimeError("the emulator did not start: " + Path(self._log.name).read_text()[-2000:])
        self.url = line.split()[-1]
        self.port = int(self.url.split("//")[1].split("/")[0].rsplit(":", 1)[1])
        self.api = WebApi(self.url, TOKEN)

    def stop(self) -> None:
        if self._process is not None:
            self.api.close()
            self._end(self._process)
            self._process = None

    def _end(self, process: subprocess.Popen[str]) -> None:
        process.terminate()
        process.wait(30)
        if process.stdout:
            process.stdout.close()

    def close(self) -> None:
        self.stop()
        self._log.close()
