"""DynamicsWebApi, a client library of others, unmodified under node: every kind of request it can make, over
http and over https.

Its checks stand in `node/*.mjs`, one file for each area; all of them run in one process.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from connectors.emulator.serving.server import running

NODE = Path(__file__).parent / "node"
LIBRARY = NODE / "node_modules" / "dynamics-web-api"
AREAS = ("reading", "writing", "links", "batches", "messages", "fetches", "files", "definitions", "changes")
ROWS = {
    "reading": (4, 6, 7, 13, 14, 15),
    "writing": (8, 9, 10, 11, 12, 35, 37, 41),
    "links": (36,),
    "batches": (17, 18),
    "messages": (3, 28, 42, 46),
    "fetches": (45,),
    "files": (33,),
    "definitions": (31, 49),
    "changes": (32,),
}
_CHECK = re.compile(r'^ *check\(\n? *["`](.+?)["`],', re.MULTILINE)

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None or shutil.which("npm") is None, reason="node or npm is missing"),
    pytest.mark.skipif(not LIBRARY.is_dir(), reason="the library is not installed: make test does that"),
]


def names_of(area: str) -> list[str]:
    """The checks of one area, as they are named in its file; one in a loop has a placeholder."""
    return _CHECK.findall((NODE / f"{area}.mjs").read_text(encoding="utf-8"))


NAMES = {name: area for area in AREAS for name in names_of(area)}
CHECKS = [pytest.param(name, id=name.replace(" ", "-"), marks=pytest.mark.row(*ROWS[area])) for name, area in NAMES.items()]
Results = dict[str, str | None]


def outcome(url: str, **environment: str) -> Results:
    """Run every check against one Web API."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = ["node", str(NODE / "run.mjs"), url]
    ended = subprocess.run(command, env=inherited | environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    results: Results = json.loads(ended.stdout)
    return results


@pytest.fixture(scope="session")
def http_results() -> Callable[[], Results]:
    return cache(_over_http)


@pytest.fixture(scope="session")
def https_results(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Results]:
    return cache(lambda: _over_https(tmp_path_factory.mktemp("node") / "ca.pem"))


def _over_http() -> Results:
    with running() as emulator:
        return outcome(emulator.url)


def _over_https(authority: Path) -> Results:
    with running(tls=authority) as emulator:
        assert emulator.url.startswith("https://")
        return outcome(emulator.url, NODE_EXTRA_CA_CERTS=str(authority))


@pytest.mark.parametrize("name", CHECKS)
def test_over_http(http_results: Callable[[], Results], name: str) -> None:
    assert http_results()[name] is None, http_results()[name]


def test_over_https_every_check_holds_too(https_results: Callable[[], Results]) -> None:
    assert {name: problem for name, problem in https_results().items() if problem is not None} == {}


def test_no_check_is_left_out(http_results: Callable[[], Results]) -> None:
    assert set(http_results()) == set(NAMES)


def test_rows_are_read_and_written_on_premises_too() -> None:
    """With the organisation's name in the path and an older version; areas that need nothing that is online
    only."""
    with running(profile="onprem") as emulator:
        results = outcome(emulator.url.replace("/api/", "/voorbeeld/api/"))
    areas = ("reading", "writing", "links", "batches", "fetches", "changes")
    assert {name: results[name] for name, area in NAMES.items() if area in areas and results[name] is not None} == {}
