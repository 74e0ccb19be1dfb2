"""A real browser for tests of pages: the machine's Chromium, or the one that `make test` has unpacked
here."""

from __future__ import annotations

import asyncio
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


class Lent:
    """A browser that modules use one after the other. Its event loop counts as running in this thread as long
    as it is open, so it is put aside between them: no other loop could run here."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self._loop = browser, asyncio.get_running_loop()
        asyncio._set_running_loop(None)

    @contextmanager
    def out(self) -> Iterator[Browser]:
        """Lend it until the block ends; what was opened in it is closed then."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
            for context in self._browser.contexts:
                context.close()
        finally:
            asyncio._set_running_loop(None)


@contextmanager
def lending() -> Iterator[Lent]:
    """Start one to lend, and end it with the block."""
    with chromium() as browser:
        lent = Lent(browser)
        yield lent
        asyncio._set_running_loop(lent._loop)
