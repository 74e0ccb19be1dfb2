"""An emulator that is emptied as often as wanted; its rows may be in a file that can be put back."""

import shutil
from pathlib import Path

from tests.independent.emulator import Emulator
from tests.independent.wire import WebApi

SWITCHES = {
    "recycle_bin_days": 0,
    "reference_delete_purges": True,
    "history_of_deleted": "refuse",
    "bulk_delete_queue_s": 0,
    "bulk_delete_run_s": 0,
}


class Organisation(Emulator):
    """An organisation without limits; with `state` its rows are in a file that can be put back."""

    def __init__(self, folder: Path, state: Path | None = None) -> None:
        self.state = state
        kept = ("--state", str(state)) if state else ()
        super().__init__(folder, folder / f"emulator-{'state' if state else 'shared'}.log", "--limits", "off", *kept)

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
        reset(self.api, at)


def reset(api: WebApi, at: str) -> None:
    """No rows but the platform's own, no trouble, and this moment."""
    api.control("POST", "reset", {"empty": True})
    api.control("PUT", "faults", [])
    api.control("PUT", "switches", SWITCHES)
    api.control("PUT", "clock", {"now": at})
