"""What lies around a body: compression, waiting times, links, and the file of what is remembered."""

import gzip
import io
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

import polars as pl
import pytest
import requests
import urllib3
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.bodies import BodyBroken, read_body
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.memory.table_cache import Memory
from connectors.dynamics.memory.table_file import Damaged
from connectors.dynamics.pace.allowance import hints_of
from connectors.interface.errors import ReadIncomplete
from tests.connectors.dynamics.fuzz.corpus import entries
from tests.connectors.dynamics.fuzz.damage import mutated

ROOT = "http://127.0.0.1:8765/api/data/v9.2/"
NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
TRANSPORT = Transport(Environment(url=ROOT), StaticToken("t", ROOT), sleep=lambda _: None)
PAGES = [entry.body for entry in entries("pages") if entry.body]
ZIPPED = {gzip.compress(body, mtime=0): body for body in PAGES}


# -- bodies --------------------------------------------------------------------------------------------------


def received(raw: bytes, encoding: str = "gzip", limit: int = 1 << 24) -> bytes:
    response = requests.Response()
    response.headers["Content-Encoding"] = encoding
    response.raw = urllib3.HTTPResponse(io.BytesIO(raw), preload_content=False)
    return read_body(response, limit)


@pytest.mark.parametrize("body", PAGES[:5])
def test_a_compressed_body_cut_at_any_byte_is_broken(body: bytes) -> None:
    raw = gzip.compress(body)
    assert received(raw) == body
    for end in range(1, len(raw)):
        with pytest.raises(BodyBroken):
            received(raw[:end])


@given(mutated(list(ZIPPED)))
def test_a_damaged_compressed_body_is_broken_or_whole(raw: bytes) -> None:
    try:
        found = received(raw)
    except BodyBroken:
        return
    assert found == gzip.decompress(raw)


def test_a_body_compressed_in_pieces_is_whole() -> None:
    assert received(gzip.compress(b"first ") + gzip.compress(b"second")) == b"first second"
    with pytest.raises(BodyBroken):
        received(gzip.compress(b"first") + b"and more")


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=4), st.integers(1, 4000))
def test_nothing_is_unpacked_beyond_the_limit(sizes: list[int], limit: int) -> None:
    raw = b"".join(gzip.compress(bytes(size)) for size in sizes)
    if max(sum(sizes), len(raw)) <= limit:
        assert received(raw, limit=limit) == bytes(sum(sizes))
    else:
        with pytest.raises(BodyBroken):
            received(raw, limit=limit)


# -- links and waiting ---------------------------------------------------------------------------------------

PIECES = [
    "http:",
    "https:",
    "/",
    "//",
    "\n",
    "\t",
    "[",
    "]",
    ":",
    "@",
    "?",
    "#",
    "..",
    ".",
    "%2e",
    "\\",
    "\x00",
    "ö",
    "x",
    "api/data/v9.2/",
]
PIECES += ["/api/data/v9.2/", "127.0.0.1:8765", "elsewhere.example", "cf_fiches", "$skiptoken=", "&", ROOT, "／", " "]
LINKS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join), st.text(max_size=40), st.text(max_size=20).map(lambda end: ROOT + end)
)


@given(LINKS)
@example("http://[")
@example("///api/data/v9.2/x")
@example("http://///api/data/v9.2/x")
@example("http://h///api/data/v9.2/x")
@example("http:/\n/elsewhere.example/api/data/v9.2/x")
@example("//elsewhere.example/api/data/v9.2/x")
@example("http://127.0.0.1:8765@elsewhere.example/api/data/v9.2/x")
def test_a_link_leads_below_our_root_or_is_refused(link: str) -> None:
    try:
        found = TRANSPORT.absolute(link)
    except ReadIncomplete:
        return
    assert found.startswith(ROOT)
    assert found.isprintable()
    parts = urlsplit(found)
    assert (parts.scheme, parts.netloc) == ("http", "127.0.0.1:8765")
    assert not {".", ".."} & set(parts.path.split("/"))


HEADERS = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    st.sampled_from(
        ["Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 +99999999999999999999", "1e9", "-1", "0.5", "²"]
    ),
)


@given(HEADERS, st.one_of(st.none(), HEADERS))
def test_any_waiting_time_is_a_second_or_more(text: str, date: str | None) -> None:
    seconds = TRANSPORT.retry.retry_after_s({"Retry-After": text} | ({"Date": date} if date is not None else {}))
    assert 1.0 <= seconds < 4e11


@given(
    st.dictionaries(
        st.sampled_from(
            ["x-ms-dop-hint", "x-ms-ratelimit-burst-remaining-xrm-requests", "x-ms-ratelimit-time-remaining-xrm-requests", "Set-Cookie"]
        ),
        st.one_of(HEADERS, st.sampled_from(["1,200.00", "nan", "inf", "ARRAffinity=", "ARRAffinity=ab;x"])),
    )
)
def test_any_hint_is_a_number_or_not_told(headers: dict[str, str]) -> None:
    hints = hints_of(headers)
    for number in (hints.requests_left, hints.seconds_left, hints.parallel):
        assert number is None or 0 <= number < 1e13


# -- what is remembered --------------------------------------------------------------------------------------


@cache
def memory() -> Memory:
    return Memory(Path(mkdtemp(prefix="fuzz-memory-")), lambda: bytes(32), now=lambda: NOW)


@cache
def stored() -> tuple[Path, bytes]:
    rows = pl.DataFrame({"id": [f"00000000-0000-4000-8000-{number:012x}" for number in range(3)], "etag": ['W/"1"'] * 3})
    place = memory().place("contact", "")
    with memory().writing(place) as draft:
        for _ in range(3):
            draft.add(rows)
        draft.finish("https://crm.example/link", NOW)
    return place, place.read_bytes()


def rows_read(place: Path) -> int | None:
    found = memory().load(place)
    try:
        return None if found is None else sum(chunk.rows().height for chunk in found.chunks())
    except Damaged:
        return None


@given(st.data())
def test_a_damaged_stored_file_is_no_memory(data: st.DataObject) -> None:
    place, content = stored()
    damaged = data.draw(mutated([content]))
    place.write_bytes(damaged)
    assert rows_read(place) == (9 if damaged == content else None)
