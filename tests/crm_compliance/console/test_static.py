"""What the browser fetches beside pages: unchanged from its packages, and nothing from elsewhere."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

from crm_compliance.console.assets import address_of, static_files
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


def test_there_is_no_way_out_of_the_folder(browser: Browser) -> None:
    for path in ("../app.py", "..%2fapp.py", "vendor/../../app.py", "/etc/passwd", "vendor/README.md"):
        assert browser.get(f"/static/{path}").status_code == 404


def test_nothing_is_fetched_from_elsewhere() -> None:
    written = [found.content.decode() for path, found in static_files().items() if path in ("console.css", "console.js")]
    assert not re.search(r"https?://(?!www\.w3\.org/)", "".join(written))
