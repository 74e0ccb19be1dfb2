"""Contents of columns are fetched whole or not at all: files in parts, pictures at full size, bodies of notes
(EXP-07, EXP-08)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from connectors.dynamics.reading import file_columns
from connectors.interface.errors import ConnectorError, ReadIncomplete
from connectors.interface.rows import Content
from rules.model.personal_records import FullContact, FullNote, FullRecording
from tests.connectors.dynamics.connected import Connected, connected
from tests.connectors.dynamics.fake_crm import ROOT, FakeCrm, Reply, row_id
from tests.connectors.emulator.storage.files.pictures import encoded, png

pytestmark = pytest.mark.usefixtures("without_sockets")  # its subject is what is asked and answered, not how it comes

SOUND = bytes(range(256)) * 40


class Crm(Connected):
    def sound(self, recording: str, body: bytes = SOUND) -> None:
        headers = {"Content-Type": "audio/mpeg", "x-ms-file-name": "gesprek.mp3"}
        answer = self.http.patch(f"{self.url}cf_recordings({recording})/cf_media", data=body, headers=headers, timeout=30)
        assert answer.status_code == 204, answer.text

    def content(self, record: Any, row: str, field: str) -> Content | None:
        return self.connector.content(record, row, field)


@pytest.fixture
def crm() -> Iterator[Crm]:
    with connected(Crm) as client:
        yield client


@pytest.fixture
def recording(crm: Crm) -> str:
    return crm.create("cf_recordings", cf_name="R-1")


# -- against the emulator ------------------------------------------------------------------------------------


def test_a_file_is_fetched_with_its_media_type(crm: Crm, recording: str) -> None:
    crm.sound(recording)
    assert crm.content(FullRecording, recording, "media") == Content(SOUND, "audio/mpeg")


def test_a_file_that_was_uploaded_as_bytes_is_what_its_name_says(crm: Crm, recording: str) -> None:
    headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": "verslag é.pdf".encode().decode("latin-1")}
    crm.http.patch(f"{crm.url}cf_recordings({recording})/cf_media", data=b"%PDF", headers=headers, timeout=30)
    assert crm.content(FullRecording, recording, "media") == Content(b"%PDF", "application/pdf")


def test_a_large_file_is_fetched_in_parts(crm: Crm, recording: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_columns, "PART_BYTES", 1000)
    crm.sound(recording)
    before = crm.connector.stats.requests
    found = crm.content(FullRecording, recording, "media")
    assert found is not None
    assert found.body == SOUND
    assert crm.connector.stats.requests - before > len(SOUND) // 1000


def test_a_service_that_gives_no_parts_gives_the_whole(crm: Crm, recording: str) -> None:
    crm.sound(recording)
    crm.switch(chunked_files=False)
    found = crm.content(FullRecording, recording, "media")
    assert found is not None
    assert found.body == SOUND


def test_an_empty_file_column_and_a_row_that_is_gone_hold_nothing(crm: Crm, recording: str) -> None:
    assert crm.content(FullRecording, recording, "media") is None
    assert crm.content(FullRecording, row_id(7), "media") is None
    assert crm.content(FullContact, row_id(7), "picture") is None
    assert crm.content(FullNote, row_id(7), "body") is None


def test_a_picture_is_fetched_at_its_full_size(crm: Crm) -> None:
    large = png(600, 300)
    contact = crm.contact(entityimage=encoded(large))
    assert crm.content(FullContact, contact, "picture") == Content(large, "image/png")
    assert crm.content(FullContact, crm.contact(), "picture") is None


def test_the_body_of_a_note_is_decoded(crm: Crm) -> None:
    body = b"%PDF verzonnen"
    note = crm.create("annotations", subject="bijlage", filename="b.pdf", mimetype="application/pdf", documentbody=encoded(body))
    assert crm.content(FullNote, note, "body") == Content(body, "application/pdf")
    assert crm.content(FullNote, crm.create("annotations", subject="zonder"), "body") is None
    in_lines = crm.create(
        "annotations", subject="uit een mailbox", documentbody=base64.encodebytes(body * 9).decode().replace("\n", "\r\n")
    )
    assert crm.content(FullNote, in_lines, "body") == Content(body * 9)


@pytest.mark.parametrize(
    ("said", "media_type"), [("application/octet-stream", "message/rfc822"), (None, "message/rfc822"), ("text/plain", "text/plain")]
)
def test_a_body_of_which_only_its_name_says_what_it_is(crm: Crm, said: str | None, media_type: str) -> None:
    """Many programs attach files as bytes alone."""
    note = crm.create("annotations", filename="bericht.eml", mimetype=said, documentbody=encoded(b"verzonnen"))
    assert crm.content(FullNote, note, "body") == Content(b"verzonnen", media_type)


def test_a_field_that_is_not_mapped_holds_nothing(crm: Crm, recording: str) -> None:
    crm.sound(recording)
    assert crm.content(FullRecording, recording, "geluid") is None


def test_a_file_of_which_the_row_speaks_and_that_is_not_there_is_an_error(crm: Crm, recording: str) -> None:
    crm.sound(recording)
    crm.faults({"match": {"path": "*cf_media/$value*"}, "do": "status", "status": 404})
    with pytest.raises(ReadIncomplete):
        crm.content(FullRecording, recording, "media")


def test_a_file_that_may_not_be_read_is_an_error(crm: Crm, recording: str) -> None:
    crm.sound(recording)
    crm.faults({"match": {"path": "*cf_media/$value*"}, "do": "status", "status": 403})
    with pytest.raises(ConnectorError):
        crm.content(FullRecording, recording, "media")


def test_a_file_that_breaks_off_each_time_is_an_error(crm: Crm, recording: str) -> None:
    crm.sound(recording)
    crm.faults({"match": {"path": "*cf_media/$value*"}, "do": "truncate"})
    with pytest.raises(ReadIncomplete):
        crm.content(FullRecording, recording, "media")


# -- at the edge ---------------------------------------------------------------------------------------------

ROW = f"cf_recordings({row_id(1)})"


class Edge:
    """A CRM whose one recording answers as a test says."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.crm = FakeCrm(mock)
        self.parts: list[Reply] = []
        self.files = ["file-1"]
        self.real = self.crm._answer
        self.crm._answer = self._answer  # type: ignore[method-assign]

    def _answer(self, request: Any) -> Reply:
        url = str(request.url)
        if f"{ROW}/cf_media" in url:
            return self.parts.pop(0) if len(self.parts) > 1 else self.parts[0]
        if ROW in url:
            file = self.files.pop(0) if len(self.files) > 1 else self.files[0]
            return 200, {}, f'{{"cf_recordingid":"{row_id(1)}","cf_media":"{file}"}}'
        return self.real(request)

    def fetch(self) -> Content | None:
        with self.crm.connector() as connector:
            return connector.content(FullRecording, row_id(1), "media")


@pytest.fixture
def edge() -> Iterator[Edge]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Edge(mock)


def part(first: int, body: bytes, total: int, **headers: str) -> Reply:
    return 206, {"Content-Range": f"bytes {first}-{first + len(body) - 1}/{total}"} | headers, body


def test_parts_are_asked_for_until_the_whole_is_there(edge: Edge) -> None:
    edge.parts = [part(0, b"abcd", 6), part(4, b"ef", 6, mimetype="audio/wav")]
    assert edge.fetch() == Content(b"abcdef", "audio/wav")
    ranges = [request.headers.get("Range") for request in edge.crm.requests if "cf_media/$value" in str(request.url)]
    assert ranges == [f"bytes=0-{file_columns.PART_BYTES - 1}", f"bytes=4-{file_columns.PART_BYTES + 3}"]


@pytest.mark.parametrize(
    "parts",
    [
        [part(0, b"abcd", 6), part(5, b"f", 6)],  # a gap
        [part(0, b"abcd", 6), part(0, b"ef", 6)],  # from the start again
        [part(0, b"abcd", 6), part(4, b"ef", 7), part(6, b"g", 7)],  # another size
        [part(0, b"abcd", 6), (416, {}, "")],
        [part(0, b"abcd", 6), (204, {}, b"")],
        [part(0, b"abcd", 6), (206, {"Content-Range": "bytes 4-5/6"}, b"")],
        [(206, {}, b"abcd")],
        [(200, {"x-ms-file-size": "7"}, b"abcdef")],
        [(204, {}, b"")],
    ],
)
def test_parts_that_do_not_make_the_whole_are_an_error(edge: Edge, parts: list[Reply]) -> None:
    edge.parts = parts
    with pytest.raises(ReadIncomplete):
        edge.fetch()


def test_a_file_that_is_replaced_meanwhile_is_an_error(edge: Edge) -> None:
    edge.parts, edge.files = [(200, {}, b"abcdef")], ["file-1", "file-2"]
    with pytest.raises(ReadIncomplete, match="replaced"):
        edge.fetch()


def test_a_body_that_is_no_base64_is_an_error_that_does_not_repeat_it(edge: Edge) -> None:
    real = edge.crm._answer

    def answer(request: Any) -> Reply:
        if f"annotations({row_id(2)})" in str(request.url):
            return 200, {}, '{"documentbody":"geheim!","mimetype":null,"filename":null}'
        return real(request)

    edge.crm._answer = answer  # type: ignore[method-assign]
    with edge.crm.connector() as connector, pytest.raises(ReadIncomplete) as caught:
        connector.content(FullNote, row_id(2), "body")
    assert "geheim" not in f"{caught.value} {caught.value.hint}"
    assert f"annotation {row_id(2)} is not readable" in str(caught.value)


def test_content_does_not_show_in_its_printed_form() -> None:
    assert "verzonnen" not in repr(Content(b"verzonnen")) + repr(Content(base64.b64encode(b"verzonnen")))
    assert str(ROOT) not in repr(Content(b""))
