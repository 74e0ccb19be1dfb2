"""File and image columns, and the base64 of notes."""

from __future__ import annotations

import base64

import pytest
import requests

from tests.connectors.emulator.client import Client, error_of

AUDIO = bytes(range(256)) * 40
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def upload(crm: Client, recording: str, name: str = "gesprek.mp3", **more: str) -> requests.Response:
    headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": name, **more}
    return crm.http.patch(f"{crm.url}cf_recordings({recording})/cf_media", data=AUDIO, headers=headers, timeout=10)


@pytest.fixture
def recording(crm: Client) -> str:
    return crm.create("cf_recordings", cf_name="R-1")


def test_a_file_is_kept_and_given_back(crm: Client, recording: str) -> None:
    """Row 33."""
    before = crm.etag("cf_recordings", recording)
    assert upload(crm, recording).status_code == 204
    answer = crm.get(f"cf_recordings({recording})/cf_media/$value")
    assert (answer.status_code, answer.content) == (200, AUDIO)
    assert answer.headers["x-ms-file-name"] == "gesprek.mp3"
    assert answer.headers["x-ms-file-size"] == str(len(AUDIO))
    row = crm.row(f"cf_recordings({recording})?$select=cf_media,cf_media_name")
    assert (len(row["cf_media"]), row["cf_media_name"]) == (36, "gesprek.mp3")
    assert crm.etag("cf_recordings", recording) != before


def test_a_part_of_a_file_is_given_by_range(crm: Client, recording: str) -> None:
    """Row 33."""
    upload(crm, recording)
    answer = crm.get(f"cf_recordings({recording})/cf_media/$value", {"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, AUDIO[10:20])
    assert answer.headers["Content-Range"] == f"bytes 10-19/{len(AUDIO)}"


def test_a_deleted_file_is_gone_and_the_column_is_null(crm: Client, recording: str) -> None:
    """Row 33."""
    upload(crm, recording)
    assert crm.send("DELETE", f"cf_recordings({recording})/cf_media").status_code == 204
    assert error_of(crm.get(f"cf_recordings({recording})/cf_media/$value")) == (404, "0x80040217")
    row = crm.row(f"cf_recordings({recording})")
    assert (row["cf_media"], row["cf_media_name"]) == (None, None)


def test_a_file_goes_with_its_row(crm: Client, recording: str) -> None:
    upload(crm, recording)
    crm.send("DELETE", f"cf_recordings({recording})")
    assert crm.emulator.emulator.tables.connection.execute("SELECT count(*) FROM _files").fetchone() == (0,)


def test_a_file_column_is_not_written_in_the_body(crm: Client, recording: str) -> None:
    """Row 33."""
    assert error_of(crm.send("PATCH", f"cf_recordings({recording})", {"cf_media": "x"})) == (400, "0x80048d19")
    assert crm.send("PATCH", f"cf_recordings({recording})", {"cf_media": None}).status_code == 400


def test_a_file_needs_a_name_and_an_expected_version(crm: Client, recording: str) -> None:
    assert crm.http.patch(f"{crm.url}cf_recordings({recording})/cf_media", data=b"x", timeout=10).status_code == 400
    assert upload(crm, recording, **{"If-Match": 'W/"1"'}).status_code == 412
    by_option = f"{crm.url}cf_recordings({recording})/cf_media?x-ms-file-name=a%20b.mp3"
    assert crm.http.patch(by_option, data=b"x", headers={"Content-Type": "application/octet-stream"}, timeout=10).status_code == 204
    assert crm.row(f"cf_recordings({recording})")["cf_media_name"] == "a b.mp3"
    assert upload(crm, recording, **{"x-ms-transfer-mode": "chunked"}).status_code == 501


def test_an_image_is_written_in_the_body_and_shown_when_selected(crm: Client) -> None:
    picture = base64.b64encode(PNG).decode()
    contact = crm.contact(entityimage=picture)
    row = crm.row(f"contacts({contact})")
    assert "entityimage" not in row
    assert row["entityimageid"] == contact
    assert row["entityimage_url"].startswith("/Image/download.aspx?Entity=contact&Attribute=entityimage")
    assert crm.row(f"contacts({contact})?$select=entityimage")["entityimage"] == picture
    assert crm.get(f"contacts({contact})/entityimage/$value").content == PNG
    assert crm.send("DELETE", f"contacts({contact})/entityimage").status_code == 204
    assert crm.get(f"contacts({contact})/entityimage/$value").status_code == 204
    assert crm.row(f"contacts({contact})")["entityimage_url"] is None
    assert error_of(crm.send("PATCH", f"contacts({contact})", {"entityimage": base64.b64encode(b"text").decode()})) == (400, "0x80072553")


def test_a_notes_document_is_base64_also_by_its_address(crm: Client) -> None:
    """Row 34."""
    body = base64.b64encode(b"verzonnen").decode()
    note = crm.create("annotations", subject="n", filename="a.txt", mimetype="text/plain", documentbody=body)
    assert crm.row(f"annotations({note})")["isdocument"] is True
    answer = crm.get(f"annotations({note})/documentbody/$value")
    assert (answer.text, answer.headers["Content-Type"]) == (body, "text/plain")
    assert error_of(crm.send("PATCH", f"annotations({note})", {"documentbody": "no base64!"})) == (400, "0x80040203")
    too_big = base64.b64encode(b"x" * (5 * 1024 * 1024 + 1)).decode()
    assert error_of(crm.send("PATCH", f"annotations({note})", {"documentbody": too_big})) == (400, "0x80044a02")
    crm.send("PATCH", f"annotations({note})", {"documentbody": None})
    assert crm.row(f"annotations({note})")["isdocument"] is False
