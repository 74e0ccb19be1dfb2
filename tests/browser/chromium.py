"""A real browser for tests of pages: the machine's Chromium, or the one that `make test` has unpacked
here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_UNPACKED: Final = Path(__file__).with_name("node_modules") / ".unpacked"
_FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]  # tests may run as root, in a container


def is_here() -> bool:
    return shutil.which("chromium") is not None or (_UNPACKED / "chromium").exists()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it, and end it with the block."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    environment: dict[str, str | float | bool] = {**os.environ} if found else {**os.environ, "LD_LIBRARY_PATH": str(_UNPACKED / "lib")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found or _UNPACKED / "chromium", env=environment, args=_FLAGS)
        yield browser
        browser.close()
