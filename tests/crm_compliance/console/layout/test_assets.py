"""What the browser fetches beside pages: unchanged from its packages, and nothing from elsewhere."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

from crm_compliance.console.layout.assets import address_of, static_files
from crm_compliance.console.layout.navigation import ENTRIES
from crm_compliance.console.pages.inbox import SYMBOLS
from tests.crm_compliance.console.browser import Browser

FOLDER = files("crm_compliance.console") / "static"


def test_files_of_others_are_unchanged() -> None:
    table = re.findall(r"\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", (FOLDER / "vendor" / "README.md").read_text(encoding="utf-8"))
    assert {path: hashlib.sha256(found.content).hexdigest() for path, found in static_files().items() if "/" in path} == dict(table)


def test_an_address_changes_with_its_content_and_is_kept_for_long(browser: Browser) -> None:
    answer = browser.get(address_of("console.css"))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert browser.get("/static/console.css").headers["Cache-Control"] == "no-cache"
    assert browser.get("/static/console.css", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_font_has_one_address_for_the_page_and_for_the_style(browser: Browser) -> None:
    """Else the browser fetches it twice, and asks again for each page."""
    named = re.findall(r'url\("(fonts/[^"]+)"\)', static_files()["console.css"].content.decode())
    assert {f"/static/{each}" for each in named} == {address_of(path) for path in static_files() if path.startswith("fonts/")}
    (preloaded,) = re.findall(r'rel="preload" href="([^"]+)"', browser.page("/signin"))
    assert preloaded.removeprefix("/static/") in named


def test_there_is_no_way_out_of_the_folder(browser: Browser) -> None:
    for path in ("../app.py", "..%2fapp.py", "vendor/../../app.py", "/etc/passwd", "vendor/README.md"):
        assert browser.get(f"/static/{path}").status_code == 404


def test_nothing_is_fetched_from_elsewhere() -> None:
    written = [found.content.decode() for path, found in static_files().items() if path in ("console.css", "console.js")]
    assert not re.search(r"https?://(?!www\.w3\.org/)", "".join(written))


def test_every_symbol_that_a_page_names_is_in_the_sprite() -> None:
    """One that is not leaves a hole in its button, and nobody is told."""
    symbols = set(re.findall(r'<symbol id="([a-z-]+)"', static_files()["icons.svg"].content.decode()))
    templates = Path(str(files("crm_compliance.console") / "templates")).rglob("*.j2")
    named = {name for each in templates for name in re.findall(r'(?:icon\(|symbol=)"([a-z-]+)"', each.read_text(encoding="utf-8"))}
    assert len(named) > 15
    assert named | set(SYMBOLS.values()) | {entry.icon for entry in ENTRIES} <= symbols
