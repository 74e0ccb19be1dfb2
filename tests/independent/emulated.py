"""An emulator as a process of its own, emptied as often as wanted; its rows may lie in a file that can be put back."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.independent.stage import ROOT, TOKEN, command
from tests.independent.wire import WebApi

SWITCHES = {
    "recycle_bin_days": 0,
    "reference_delete_purges": True,
    "history_of_deleted": "refuse",
    "bulk_delete_queue_s": 0,
    "bulk_delete_run_s": 0,
}


class Organisation:
    """An emulator as a process of its own; with `state` its rows lie in a file that can be put back."""

    def __init__(self, folder: Path, state: Path | None = None) -> None:
        self.folder, self.state, self.port = folder, state, 0
        self._log = (folder / f"emulator-{'state' if state else 'shared'}.log").open("a")
        self._process: subprocess.Popen[str] | None = None
        self.api: WebApi
        self.start()

    def start(self) -> None:
        args = ["emulator", "serve", "--port", str(self.port), "--empty", "--limits", "off", "--token", TOKEN]
        others = {name: value for name, value in os.environ.items() if not name.startswith("CRM_COMPLIANCE_")}
        self._process = subprocess.Popen(
            command(*args, *(("--state", str(self.state)) if self.state else ())),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=self.folder,
            env=others | {"PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("emulator ready "):
            self.close()
            raise RuntimeError("the emulator did not start")
        self.api = WebApi(line.split()[-1], TOKEN)
        self.port = int(self.api.root.split("//")[1].split("/")[0].rsplit(":", 1)[1])

    def stop(self) -> None:
        if self._process is not None:
            self.api.close()
            self._process.terminate()
            self._process.wait(30)
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def close(self) -> None:
        self.stop()
        self._log.close()

    def back_up(self) -> None:
        self._copy(self.folder, self.folder / "backup")

    def restore(self) -> None:
        self._copy(self.folder / "backup", self.folder)

    def _copy(self, source: Path, target: Path) -> None:
        """Exchange the state files while the emulator is down; it comes up again at the same address."""
        assert self.state is not None
        self.stop()
        target.mkdir(exist_ok=True)
        for path in target.glob(self.state.name + "*"):
            path.unlink()
        for path in source.glob(self.state.name + "*"):
            shutil.copy2(path, target)
        self.start()

    def reset(self, at: str) -> None:
        self.api.control("POST", "reset", {"empty": True})
        self.api.control("PUT", "faults", [])
        self.api.control("PUT", "switches", SWITCHES)
        self.api.control("PUT", "clock", {"now": at})
