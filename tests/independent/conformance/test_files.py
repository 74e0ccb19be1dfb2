"""Section 12: file and image columns, notes."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.independent.conformance.served import Crm, Row, error, new_id

pytestmark = pytest.mark.row(33, 34, 49)
OCTETS = {"Content-Type": "application/octet-stream"}
CHUNK = 4194304


def recording(crm: Crm) -> str:
    return f"cf_recordings({crm.create('cf_recordings', cf_name='R')})"


def upload(crm: Crm, path: str, content: bytes, name: str = "a.mp3", headers: Row | None = None) -> requests.Response:
    return crm.send("PATCH", path + "/cf_media", data=content, headers={**OCTETS, "x-ms-file-name": name, **(headers or {})})


def picture(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\x00" + b"\x7f\x00\x00" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def test_a_file_goes_up_and_down_whole(crm: Crm) -> None:
    """12: upload '≤128 MB 204'; download '200 octets; headers x-ms-file-size, x-ms-file-name, mimetype'."""
    path, content = recording(crm), bytes(range(256)) * 10
    answer = upload(crm, path, content)
    assert (answer.status_code, answer.content) == (204, b"")
    down = crm.get(path + "/cf_media/$value")
    assert (down.status_code, down.content) == (200, content)
    assert (down.headers["x-ms-file-size"], down.headers["x-ms-file-name"]) == ("2560", "a.mp3")
    assert down.headers["mimetype"]


def test_the_row_shows_id_and_name(crm: Crm) -> None:
    """2.4: 'File Guid (file id) or null; cf_audiofile_name holds the file name'."""
    path = recording(crm)
    assert crm.one(path + "?$select=cf_media,cf_media_name").items() >= {"cf_media": None, "cf_media_name": None}.items()
    upload(crm, path, b"x")
    row = crm.one(path + "?$select=cf_media,cf_media_name")
    assert len(row["cf_media"]) == 36
    assert row["cf_media_name"] == "a.mp3"


def test_a_name_may_stand_in_the_query(crm: Crm) -> None:
    """12: 'or ?x-ms-file-name= percent-encoded; header wins'."""
    path = recording(crm)
    crm.send("PATCH", path + "/cf_media?x-ms-file-name=gesprek%20%C3%A9.mp3", data=b"x", headers=OCTETS)
    assert crm.one(path + "?$select=cf_media_name")["cf_media_name"] == "gesprek é.mp3"
    crm.send("PATCH", path + "/cf_media?x-ms-file-name=q.mp3", data=b"x", headers={**OCTETS, "x-ms-file-name": "h.mp3"})
    assert crm.one(path + "?$select=cf_media_name")["cf_media_name"] == "h.mp3"


def test_a_range_is_206(crm: Crm) -> None:
    """12: 'Range: bytes=0-4194303 → 206, Content-Range, x-ms-chunk-size: 4194304'."""
    path = recording(crm)
    upload(crm, path, b"0123456789")
    answer = crm.get(path + "/cf_media/$value", {"Range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, b"2345")
    assert answer.headers["Content-Range"] == "bytes 2-5/10"
    assert answer.headers["x-ms-chunk-size"] == str(CHUNK)


def test_an_empty_column_is_204_or_404(crm: Crm) -> None:
    """12: 'Empty column: 204 or 404 0x80040217 "No file attachment found…" – accept both'."""
    answer = crm.get(recording(crm) + "/cf_media/$value")
    assert answer.status_code == 204 or error(answer) == (404, "0x80040217")


def test_a_file_goes_up_in_chunks(crm: Crm) -> None:
    """12: '200, Location: …?sessiontoken=…, x-ms-chunk-size, Accept-Ranges: bytes'; '206 per chunk, 204 on
    the last'."""
    path, content = recording(crm), b"ab" * (CHUNK // 2) + b"tail"
    start = crm.send("PATCH", path + "/cf_media", headers={"x-ms-transfer-mode": "chunked", "x-ms-file-name": "groot.mp3"})
    assert start.status_code == 200
    assert "sessiontoken=" in start.headers["Location"]
    assert (start.headers["x-ms-chunk-size"], start.headers["Accept-Ranges"]) == (str(CHUNK), "bytes")
    seen = []
    for first in range(0, len(content), CHUNK):
        piece = content[first : first + CHUNK]
        span = f"bytes {first}-{first + len(piece) - 1}/{len(content)}"
        seen.append(
            crm.send(
                "PATCH", start.headers["Location"], data=piece, headers={**OCTETS, "Content-Range": span, "x-ms-file-name": "groot.mp3"}
            ).status_code
        )
    assert seen == [206, 204]
    assert crm.get(path + "/cf_media/$value").content == content


def test_deleting_a_file_empties_the_column(crm: Crm) -> None:
    """12: 'DELETE cf_recordings(R1)/cf_audiofile 204'."""
    path = recording(crm)
    upload(crm, path, b"x")
    assert crm.delete(path + "/cf_media").status_code == 204
    assert crm.one(path)["cf_media"] is None
    assert crm.exists(path)


@pytest.mark.parametrize("value", [None, "eA==", "5b1f0c7e-3d0a-ef11-9f8a-000d3ab1c001"])
def test_a_file_is_not_written_by_json(crm: Crm, value: Any) -> None:
    """12: 'File columns cannot be written or nulled in a normal PATCH'."""
    path = recording(crm)
    upload(crm, path, b"x")
    assert error(crm.patch(path, {"cf_media": value}))[0] == 400
    assert crm.get(path + "/cf_media/$value").content == b"x"


def test_an_upload_gives_the_row_a_new_version(crm: Crm) -> None:
    """12: 'Updating a file column changes the row's modifiedon/ETag'."""
    path = recording(crm)
    before = crm.get(path).headers["ETag"]
    upload(crm, path, b"x")
    middle = crm.get(path).headers["ETag"]
    crm.delete(path + "/cf_media")
    assert len({before, middle, crm.get(path).headers["ETag"]}) == 3


def test_file_attachments_list_the_file_until_the_row_goes(crm: Crm) -> None:
    """12: 'fileattachments(filename,filesizeinbytes,mimetype,regardingfieldname,createdon)'; 11.5: removed
    with the row."""
    row = crm.create("cf_recordings", cf_name="R")
    upload(crm, f"cf_recordings({row})", b"12345")
    ask: dict[str, Any] = {
        "select": "filename,filesizeinbytes,mimetype,regardingfieldname,createdon",
        "filter": f"_objectid_value eq {row}",
    }
    [listed] = crm.rows("fileattachments", **ask)
    assert (listed["filename"], listed["filesizeinbytes"], listed["regardingfieldname"]) == ("a.mp3", 5, "cf_media")
    expanded = crm.one(f"cf_recordings({row})", select="cf_name", expand="cf_recording_FileAttachments($select=filename)")
    assert [f["filename"] for f in expanded["cf_recording_FileAttachments"]] == ["a.mp3"]
    crm.delete(f"cf_recordings({row})")
    assert crm.rows("fileattachments", **ask) == []


def test_the_message_route_in_blocks(crm: Crm) -> None:
    """12: InitializeFileBlocksUpload, UploadBlock, CommitFileBlocksUpload; InitializeFileBlocksDownload,
    DownloadBlock; DeleteFile."""
    row = crm.create("cf_recordings", cf_name="R")
    target = {"@odata.type": "Microsoft.Dynamics.CRM.cf_recording", "cf_recordingid": row}
    start = crm.post("InitializeFileBlocksUpload", {"Target": target, "FileName": "b.mp3", "FileAttributeName": "cf_media"})
    token = start.json()["FileContinuationToken"]
    blocks = [base64.b64encode(f"{number:04d}".encode()).decode() for number in range(2)]
    for block, data in zip(blocks, (b"een", b"twee"), strict=True):
        body = {"BlockId": block, "BlockData": base64.b64encode(data).decode(), "FileContinuationToken": token}
        assert crm.post("UploadBlock", body).status_code == 204
    done = crm.post(
        "CommitFileBlocksUpload", {"FileName": "b.mp3", "MimeType": "audio/mpeg", "BlockList": blocks, "FileContinuationToken": token}
    ).json()
    assert done["FileSizeInBytes"] == 7
    down = crm.post("InitializeFileBlocksDownload", {"Target": target, "FileAttributeName": "cf_media"}).json()
    assert (down["FileSizeInBytes"], down["FileName"], down["IsChunkingSupported"]) == (7, "b.mp3", True)
    block = crm.post("DownloadBlock", {"Offset": 2, "BlockLength": 3, "FileContinuationToken": down["FileContinuationToken"]}).json()
    assert base64.b64decode(block["Data"]) == b"ntw"
    assert crm.post("DeleteFile", {"FileId": done["FileId"]}).status_code == 204
    assert crm.one(f"cf_recordings({row})")["cf_media"] is None


def test_a_note_has_a_base64_body(crm: Crm) -> None:
    """12: 'GET annotations(id)/documentbody/$value is text/plain base64, not bytes'; row 34: 'cascade with
    the parent'."""
    body = base64.b64encode(b"inhoud").decode()
    fiche = crm.create("cf_fiches", cf_name="F")
    note = crm.create(
        "annotations", subject="n", notetext="t", filename="n.txt", mimetype="text/plain", isdocument=True, documentbody=body,
        **{"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"},
    )  # fmt: skip
    answer = crm.get(f"annotations({note})/documentbody/$value")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text == body
    crm.delete(f"cf_fiches({fiche})")
    assert not crm.exists(f"annotations({note})")


def test_a_note_has_a_size_limit(crm: Crm) -> None:
    """12: 'Default max 5 MB (organization.maxuploadfilesize)'."""
    [organisation] = crm.rows("organizations", select="maxuploadfilesize")
    assert organisation["maxuploadfilesize"] == 5242880
    body = base64.b64encode(b"x" * 5242881).decode()
    answer = crm.post("annotations", {"subject": "n", "isdocument": True, "filename": "x", "documentbody": body})
    assert 400 <= answer.status_code < 500


def test_an_image_is_a_thumbnail_and_a_full_one(crm: Crm) -> None:
    """12: 'Image GET returns the ≤144×144 thumbnail; full size by /$value?size=full'; 2.4: 'only when
    explicitly selected; companions'."""
    row, full = crm.create("contacts", lastname="Beeld (fictief)"), picture(300, 200)
    assert crm.patch(f"contacts({row})", {"entityimage": base64.b64encode(full).decode()}).status_code == 204
    assert "entityimage" not in crm.one(f"contacts({row})")
    told = crm.one(f"contacts({row})?$select=entityimage,entityimageid,entityimage_timestamp,entityimage_url")
    thumbnail = base64.b64decode(told["entityimage"])
    assert len(told["entityimageid"]) == 36
    assert isinstance(told["entityimage_timestamp"], int)
    assert told["entityimage_url"].startswith("/Image/download.aspx?Entity=contact&Attribute=entityimage&Id=")
    assert crm.get(f"contacts({row})/entityimage/$value").content == thumbnail
    whole = crm.get(f"contacts({row})/entityimage/$value?size=full")
    assert (whole.status_code, whole.content) == (200, full) or whole.status_code == 204


@pytest.mark.parametrize("way", ["patch", "put", "delete"])
def test_an_image_can_be_emptied(crm: Crm, way: str) -> None:
    """12: 'images can ("cf_photo": null, or PUT {"value":null}, or DELETE)'."""
    path = f"contacts({crm.create('contacts', lastname='Beeld (fictief)', entityimage=base64.b64encode(picture(10, 10)).decode())})"
    ways: dict[str, Callable[[], requests.Response]] = {
        "patch": lambda: crm.patch(path, {"entityimage": None}),
        "put": lambda: crm.put(path + "/entityimage", {"value": None}),
        "delete": lambda: crm.delete(path + "/entityimage"),
    }
    assert ways[way]().status_code == 204
    assert crm.one(path + "?$select=entityimage")["entityimage"] is None


def test_an_image_of_an_unknown_kind_is_refused(crm: Crm) -> None:
    """12: 'types gif/jpeg/tiff/bmp/png, else 0x80072553'."""
    row = crm.create("contacts", lastname="Beeld (fictief)")
    assert error(crm.patch(f"contacts({row})", {"entityimage": base64.b64encode(b"no picture").decode()})) == (400, "0x80072553")


def test_a_file_of_a_missing_row_is_404(crm: Crm) -> None:
    """8.2: 404."""
    assert error(upload(crm, f"cf_recordings({new_id()})", b"x", headers={"If-Match": "*"})) == (404, "0x80040217")
