"""File columns: whole, in chunks, in blocks, and the list of what is attached."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from connectors.emulator.storage.files import file_columns
from tests.connectors.emulator.client import Client
from tests.web_api import change_set, error_of, new_id, request_part, statuses

pytestmark = pytest.mark.row(33)
AUDIO = bytes(range(256)) * 40
RECORDING = "Microsoft.Dynamics.CRM.cf_recording"


def upload(crm: Client, recording: str, name: str = "gesprek.mp3", **more: str) -> requests.Response:
    headers = {"Content-Type": "application/octet-stream", "x-ms-file-name": name, **more}
    return crm.http.patch(f"{crm.url}cf_recordings({recording})/cf_media", data=AUDIO, headers=headers, timeout=10)


@pytest.fixture
def recording(crm: Client) -> str:
    return crm.create("cf_recordings", cf_name="R-1")


def test_a_file_is_kept_and_given_back(crm: Client, recording: str) -> None:
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
    upload(crm, recording)
    answer = crm.get(f"cf_recordings({recording})/cf_media/$value", {"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, AUDIO[10:20])
    assert answer.headers["x-ms-chunk-size"] == "4194304"
    assert answer.headers["Content-Range"] == f"bytes 10-19/{len(AUDIO)}"


def test_a_deleted_file_is_gone_and_the_column_is_null(crm: Client, recording: str) -> None:
    upload(crm, recording)
    before = crm.etag("cf_recordings", recording)
    assert crm.send("DELETE", f"cf_recordings({recording})/cf_media").status_code == 204
    assert crm.etag("cf_recordings", recording) != before
    row = crm.row(f"cf_recordings({recording})")
    assert (row["cf_media"], row["cf_media_name"]) == (None, None)
    for empty in (recording, crm.create("cf_recordings", cf_name="R-2")):
        assert error_of(crm.get(f"cf_recordings({empty})/cf_media/$value")) == (404, "0x80040217")


def test_a_file_goes_with_its_row(crm: Client, recording: str) -> None:
    upload(crm, recording)
    crm.send("DELETE", f"cf_recordings({recording})")
    assert crm.emulator.emulator.tables.connection.execute("SELECT count(*) FROM _files").fetchone() == (0,)


def test_a_file_column_is_not_written_in_the_body(crm: Client, recording: str) -> None:
    upload(crm, recording)
    for value in ("x", "eA==", new_id(), None):
        assert error_of(crm.send("PATCH", f"cf_recordings({recording})", {"cf_media": value})) == (400, "0x80048d19")
    assert crm.get(f"cf_recordings({recording})/cf_media/$value").content == AUDIO


def test_a_file_needs_a_name_and_an_expected_version(crm: Client, recording: str) -> None:
    assert crm.http.patch(f"{crm.url}cf_recordings({recording})/cf_media", data=b"x", timeout=10).status_code == 400
    assert upload(crm, recording, **{"If-Match": 'W/"1"'}).status_code == 412
    assert error_of(upload(crm, new_id(), **{"If-Match": "*"})) == (404, "0x80040217")
    by_option = f"{crm.url}cf_recordings({recording})/cf_media?x-ms-file-name=a%20%C3%A9.mp3"
    for name, headers in (("a é.mp3", {}), ("h.mp3", {"x-ms-file-name": "h.mp3"})):
        headers = {"Content-Type": "application/octet-stream", **headers}
        assert crm.http.patch(by_option, data=b"x", headers=headers, timeout=10).status_code == 204
        assert crm.row(f"cf_recordings({recording})")["cf_media_name"] == name


def test_the_mime_type_is_that_of_the_upload(crm: Client, recording: str) -> None:
    upload(crm, recording, **{"Content-Type": "audio/mpeg"})
    assert crm.get(f"cf_recordings({recording})/cf_media/$value").headers["mimetype"] == "audio/mpeg"


def test_a_long_range_is_cut_to_one_chunk_and_one_beyond_the_end_is_refused(crm: Client, recording: str) -> None:
    body = bytes(5_000_000)
    crm.http.patch(f"{crm.url}cf_recordings({recording})/cf_media", data=body, headers={"x-ms-file-name": "a"}, timeout=30)
    answer = crm.get(f"cf_recordings({recording})/cf_media/$value", {"Range": "bytes=0-4999999"})
    assert (answer.status_code, len(answer.content)) == (206, 4_194_304)
    assert (answer.headers["Content-Range"], answer.headers["x-ms-chunk-size"]) == ("bytes 0-4194303/5000000", "4194304")
    answer = crm.get(f"cf_recordings({recording})/cf_media/$value", {"Range": "bytes=4194304-"})
    assert (answer.headers["Content-Range"], len(answer.content)) == ("bytes 4194304-4999999/5000000", 805_696)
    assert crm.get(f"cf_recordings({recording})/cf_media/$value", {"Range": "bytes=5000000-"}).status_code == 416


def test_a_single_property_put_does_not_write_a_file_column(crm: Client, recording: str) -> None:
    assert crm.send("PUT", f"cf_recordings({recording})/cf_media", {"value": None}).status_code == 405


# -- conditions ----------------------------------------------------------------------------------------------


def test_the_headers_of_the_vendors_client_are_accepted(crm: Client, recording: str) -> None:
    """It sends `If-None-Match: null` for a new file and `If-Match: *` to replace one."""
    assert upload(crm, recording, **{"If-None-Match": "null"}).status_code == 204
    assert upload(crm, recording, **{"If-Match": "*"}).status_code == 204
    assert upload(crm, recording, **{"If-None-Match": "null"}).status_code == 204
    assert error_of(upload(crm, recording, **{"If-None-Match": "*"})) == (412, "0x80060882")
    crm.control("PUT", "switches", {"null_guards_files": True})
    assert error_of(upload(crm, recording, **{"If-None-Match": "null"})) == (412, "0x80060882")
    assert upload(crm, recording, **{"If-Match": "*"}).status_code == 204
    crm.send("DELETE", f"cf_recordings({recording})/cf_media")
    assert upload(crm, recording, **{"If-None-Match": "null"}).status_code == 204


# -- chunks --------------------------------------------------------------------------------------------------


def begin(crm: Client, recording: str, name: str = "gesprek.mp3", **more: str) -> str:
    """Opens an upload as the vendor's client does; gives the address for the chunks."""
    address = f"{crm.url}cf_recordings({recording})/cf_media?x-ms-file-name={name}"
    answer = crm.http.patch(address, data=b"", headers={"x-ms-transfer-mode": "chunked", "If-None-Match": "null", **more}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert (answer.headers["x-ms-chunk-size"], answer.headers["Accept-Ranges"]) == ("4194304", "bytes")
    location = answer.headers["Location"]
    assert location.startswith(f"{crm.url}cf_recordings({recording})/cf_media?sessiontoken=")
    return location


def chunk(crm: Client, location: str, start: int, body: bytes, total: int, **more: str) -> requests.Response:
    headers = {"Content-Type": "application/octet-stream", "Content-Range": f"bytes {start}-{start + len(body) - 1}/{total}", **more}
    return crm.http.patch(location, data=body, headers=headers, timeout=30)


def content(crm: Client, recording: str) -> bytes:
    answer = crm.get(f"cf_recordings({recording})/cf_media/$value")
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_file_arrives_in_chunks(crm: Client, recording: str) -> None:
    before = crm.etag("cf_recordings", recording)
    location = begin(crm, recording, "ge%20sprek.mp3")
    assert chunk(crm, location, 0, AUDIO[:4_000], len(AUDIO)).status_code == 206
    assert chunk(crm, location, 4_000, AUDIO[4_000:8_000], len(AUDIO)).status_code == 206
    assert crm.row(f"cf_recordings({recording})")["cf_media"] is None
    assert crm.etag("cf_recordings", recording) == before
    answer = chunk(crm, location, 8_000, AUDIO[8_000:], len(AUDIO))
    assert (answer.status_code, answer.content) == (204, b"")
    assert content(crm, recording) == AUDIO
    assert crm.row(f"cf_recordings({recording})")["cf_media_name"] == "ge sprek.mp3"
    assert crm.etag("cf_recordings", recording) != before
    assert chunk(crm, location, 0, AUDIO, len(AUDIO)).status_code == 400, "a token is used up"


def test_the_file_name_of_the_header_wins(crm: Client, recording: str) -> None:
    location = begin(crm, recording, "of-the-address", **{"x-ms-file-name": "of-the-header"})
    chunk(crm, location, 0, b"x", 1)
    assert crm.row(f"cf_recordings({recording})")["cf_media_name"] == "of-the-header"
    address = f"{crm.url}cf_recordings({recording})/cf_media"
    assert crm.http.patch(address, data=b"", headers={"x-ms-transfer-mode": "chunked"}, timeout=10).status_code == 400


def test_a_chunk_that_does_not_come_next_is_refused_and_may_be_sent_right(crm: Client, recording: str) -> None:
    location = begin(crm, recording)
    total = len(AUDIO)
    assert error_of(chunk(crm, location, 100, AUDIO[100:200], total)) == (400, "0x80040203")
    assert chunk(crm, location, 0, AUDIO[:200], total).status_code == 206
    assert error_of(chunk(crm, location, 100, AUDIO[100:300], total)) == (400, "0x80040203")
    assert error_of(chunk(crm, location, 0, AUDIO[:200], total)) == (400, "0x80040203")
    assert error_of(chunk(crm, location, 300, AUDIO[300:400], total)) == (400, "0x80040203")
    assert error_of(chunk(crm, location, 200, AUDIO[200:], total + 1)) == (400, "0x80040203")
    assert chunk(crm, location, 200, AUDIO[200:], total).status_code == 204
    assert content(crm, recording) == AUDIO


@pytest.mark.parametrize("header", ["bytes 0-9/100", "bytes 0-4/4", "bytes 4-0/5", "bytes */5", "0-4/5", ""])
def test_a_content_range_that_does_not_fit_is_refused(crm: Client, recording: str, header: str) -> None:
    location = begin(crm, recording)
    answer = crm.http.patch(location, data=b"12345", headers={"Content-Range": header} if header else {}, timeout=10)
    assert error_of(answer) == (400, "0x80060888")


@pytest.mark.usefixtures("real_http")
def test_chunks_and_files_have_a_largest_size(crm: Client, recording: str) -> None:
    location = begin(crm, recording)
    assert error_of(chunk(crm, location, 0, bytes(4_194_305), 9_000_000)) == (400, "0x80040203")
    assert error_of(chunk(crm, location, 0, b"x", file_columns.MAX_KB["file"] * 1024 + 1)) == (400, "0x80044a02")
    assert chunk(crm, location, 0, bytes(4_194_304), 4_194_304).status_code == 204


@pytest.mark.usefixtures("real_http")
def test_a_column_takes_no_file_larger_than_its_size(crm: Client, recording: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(file_columns.MAX_KB, "file", 5)
    assert error_of(upload(crm, recording)) == (400, "0x80044a02")
    assert crm.row(f"cf_recordings({recording})")["cf_media"] is None


def test_a_session_token_is_good_for_its_own_file_and_for_a_while(crm: Client, recording: str) -> None:
    other = crm.create("cf_recordings", cf_name="R-2")
    location = begin(crm, recording)
    assert error_of(chunk(crm, location.replace(recording, other), 0, b"x", 1)) == (400, "0x80040203")
    assert error_of(chunk(crm, location + "x", 0, b"x", 1)) == (400, "0x80040203")
    crm.control("PUT", "clock", {"advance_s": 3_700})
    assert error_of(chunk(crm, location, 0, b"x", 1)) == (400, "0x80040203")
    address = f"cf_recordings({recording})/cf_media"
    assert error_of(crm.http.patch(crm.url + address, data=b"x", headers={"Content-Range": "bytes 0-0/1"}, timeout=10))[0] == 400


def test_without_chunks_files_move_whole_only(crm: Client, recording: str) -> None:
    upload(crm, recording)
    open_upload = begin(crm, recording)
    crm.control("PUT", "switches", {"chunked_files": False})
    assert error_of(crm.get(f"cf_recordings({recording})/cf_media/$value", {"Range": "bytes=0-9"})) == (400, "0x80090017")
    assert error_of(chunk(crm, open_upload, 0, b"x", 1)) == (400, "0x80090017")
    assert error_of(upload(crm, recording, **{"x-ms-transfer-mode": "chunked"})) == (400, "0x80090017")
    assert content(crm, recording) == AUDIO
    started = post(crm, "InitializeFileBlocksDownload", Target=target(recording), FileAttributeName="cf_media").json()
    assert started["IsChunkingSupported"] is False
    whole = {"FileContinuationToken": started["FileContinuationToken"], "Offset": 0, "BlockLength": len(AUDIO)}
    assert error_of(post(crm, "DownloadBlock", **{**whole, "BlockLength": 10})) == (400, "0x80090017")
    assert base64.b64decode(post(crm, "DownloadBlock", **whole).json()["Data"]) == AUDIO


# -- blocks --------------------------------------------------------------------------------------------------


def post(crm: Client, message: str, **parameters: Any) -> requests.Response:
    return crm.send("POST", message, parameters)


def target(recording: str) -> dict[str, str]:
    return {"@odata.type": RECORDING, "cf_recordingid": recording}


def block_id(number: int) -> str:
    return base64.b64encode(f"block-{number:04d}".encode()).decode()


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def initialize(crm: Client, recording: str, name: str = "gesprek.mp3") -> str:
    answer = post(crm, "InitializeFileBlocksUpload", Target=target(recording), FileName=name, FileAttributeName="cf_media")
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["FileContinuationToken"]
    return token


def test_a_file_is_moved_in_blocks_both_ways(crm: Client, recording: str) -> None:
    token = initialize(crm, recording)
    for number in (1, 0):
        body = AUDIO[number * 6_000 : (number + 1) * 6_000]
        answer = post(crm, "UploadBlock", BlockId=block_id(number), BlockData=encoded(body), FileContinuationToken=token)
        assert (answer.status_code, answer.content) == (204, b"")
    assert crm.row(f"cf_recordings({recording})")["cf_media"] is None
    ids = [block_id(0), block_id(1)]
    commit = {"FileName": "b.mp3", "MimeType": "audio/mpeg", "BlockList": ids, "FileContinuationToken": token}
    done = post(crm, "CommitFileBlocksUpload", **commit).json()
    assert done["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CommitFileBlocksUploadResponse")
    row = crm.row(f"cf_recordings({recording})")
    assert (done["FileId"], done["FileSizeInBytes"], row["cf_media_name"]) == (row["cf_media"], len(AUDIO), "b.mp3")

    started = post(crm, "InitializeFileBlocksDownload", Target=target(recording), FileAttributeName="cf_media").json()
    assert (started["FileSizeInBytes"], started["FileName"], started["IsChunkingSupported"]) == (len(AUDIO), "b.mp3", True)
    read = b""
    while len(read) < len(AUDIO):
        asked = {"Offset": len(read), "BlockLength": 4_096, "FileContinuationToken": started["FileContinuationToken"]}
        read += base64.b64decode(post(crm, "DownloadBlock", **asked).json()["Data"])
    assert read == AUDIO
    assert post(crm, "DeleteFile", FileId=done["FileId"]).status_code == 204
    assert crm.row(f"cf_recordings({recording})")["cf_media"] is None
    assert error_of(post(crm, "DeleteFile", FileId=done["FileId"])) == (404, "0x80040217")
    empty = post(crm, "InitializeFileBlocksDownload", Target=target(recording), FileAttributeName="cf_media")
    assert error_of(empty) == (404, "0x80040217")


def test_a_file_has_its_blocks_in_the_order_of_the_list(crm: Client, recording: str) -> None:
    """Not in that in which they came, nor in that of their ids."""
    contents = []
    for order in ((2, 0, 1), (1, 2, 0)):
        token = initialize(crm, recording)
        for number in (1, 0, 2):
            post(crm, "UploadBlock", BlockId=block_id(number), BlockData=encoded(b"%d" % number), FileContinuationToken=token)
        commit = {"FileName": "b", "MimeType": "audio/mpeg", "FileContinuationToken": token}
        assert post(crm, "CommitFileBlocksUpload", **commit, BlockList=[block_id(number) for number in order]).status_code == 200
        contents.append(crm.get(f"cf_recordings({recording})/cf_media/$value").content)
    assert contents == [b"201", b"120"]


@pytest.mark.usefixtures("real_http")
def test_a_block_that_cannot_be_is_refused(crm: Client, recording: str) -> None:
    token = initialize(crm, recording)

    def refused(**changed: Any) -> tuple[int, str]:
        block = {"BlockId": block_id(0), "BlockData": encoded(b"x"), "FileContinuationToken": token, **changed}
        return error_of(post(crm, "UploadBlock", **block))

    assert refused(BlockData=encoded(bytes(4_194_305))) == (400, "0x80040203")
    assert refused(BlockData="no base64!") == (400, "0x80040203")
    assert refused(BlockId="no base64!") == (400, "0x80040203")
    assert refused(FileContinuationToken="unknown") == (400, "0x80040203")
    assert post(crm, "UploadBlock", BlockId=block_id(0), BlockData=encoded(b"x"), FileContinuationToken=token).status_code == 204
    assert refused(BlockId=encoded(b"a longer id than the first one")) == (400, "0x80040203")
    crm.control("PUT", "clock", {"advance_s": 3_700})
    assert refused() == (400, "0x80040203")


def test_a_commit_that_cannot_be_is_refused(crm: Client, recording: str) -> None:
    token = initialize(crm, recording)
    commit = {"FileName": "b", "MimeType": "audio/mpeg", "FileContinuationToken": token}
    assert post(crm, "CommitFileBlocksUpload", **commit, BlockList=[block_id(0)]).status_code == 400
    assert post(crm, "CommitFileBlocksUpload", **commit, BlockList=[]).status_code == 400
    assert post(crm, "CommitFileBlocksUpload", **commit).status_code == 400
    post(crm, "UploadBlock", BlockId=block_id(0), BlockData=encoded(b"x"), FileContinuationToken=token)
    assert post(crm, "CommitFileBlocksUpload", **{**commit, "FileContinuationToken": "x"}, BlockList=[block_id(0)]).status_code == 400
    assert post(crm, "CommitFileBlocksUpload", **commit, BlockList=[block_id(0)]).status_code == 200
    assert post(crm, "CommitFileBlocksUpload", **commit, BlockList=[block_id(0)]).status_code == 400, "a token is used up"


def test_blocks_larger_together_than_the_column_takes_are_refused(crm: Client, recording: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(file_columns.MAX_KB, "file", 5)
    token = initialize(crm, recording)
    for number in (0, 1):
        post(crm, "UploadBlock", BlockId=block_id(number), BlockData=encoded(bytes(3_000)), FileContinuationToken=token)
    commit = {"FileName": "b", "MimeType": "audio/mpeg", "BlockList": [block_id(0), block_id(1)], "FileContinuationToken": token}
    assert error_of(post(crm, "CommitFileBlocksUpload", **commit)) == (400, "0x80044a02")


def test_an_upload_in_blocks_needs_a_row_and_a_file_column(crm: Client, recording: str) -> None:
    asked: dict[str, Any] = {"Target": target(recording), "FileName": "a", "FileAttributeName": "cf_media"}
    assert error_of(post(crm, "InitializeFileBlocksUpload", **{**asked, "FileAttributeName": "cf_name"})) == (400, "0x80040203")
    assert error_of(post(crm, "InitializeFileBlocksUpload", **{**asked, "Target": target(new_id())})) == (404, "0x80040217")
    assert post(crm, "InitializeFileBlocksUpload", **{**asked, "Target": "x"}).status_code == 400
    token = initialize(crm, recording)
    post(crm, "UploadBlock", BlockId=block_id(0), BlockData=encoded(b"x"), FileContinuationToken=token)
    crm.send("DELETE", f"cf_recordings({recording})")
    commit = {"FileName": "b", "MimeType": "audio/mpeg", "BlockList": [block_id(0)], "FileContinuationToken": token}
    assert error_of(post(crm, "CommitFileBlocksUpload", **commit)) == (404, "0x80040217")


def test_an_upload_in_a_failed_change_set_leaves_nothing(crm: Client, recording: str) -> None:
    upload(crm, recording)
    file_id = crm.row(f"cf_recordings({recording})")["cf_media"]
    answer = crm.batch(
        change_set(
            request_part("POST", "/api/data/v9.2/DeleteFile", f'{{"FileId":"{file_id}"}}', content_id="1"),
            request_part("DELETE", f"/api/data/v9.2/cf_recordings({new_id()})", content_id="2"),
        )
    )
    assert statuses(answer) == [404]
    assert content(crm, recording) == AUDIO


# -- fileattachments -----------------------------------------------------------------------------------------


def test_what_is_attached_is_listed(crm: Client, recording: str) -> None:
    assert crm.rows(f"cf_recordings({recording})/cf_recording_FileAttachments") == []
    upload(crm, recording, **{"Content-Type": "audio/mpeg"})
    listed = crm.rows(f"cf_recordings({recording})/cf_recording_FileAttachments")
    file_id = crm.row(f"cf_recordings({recording})")["cf_media"]
    shown = ("fileattachmentid", "filename", "filesizeinbytes", "mimetype", "regardingfieldname", "_objectid_value")
    assert [tuple(row[name] for name in shown) for row in listed] == [
        (file_id, "gesprek.mp3", len(AUDIO), "audio/mpeg", "cf_media", recording)
    ]
    expanded = crm.row(f"cf_recordings({recording})?$select=cf_name&$expand=cf_recording_FileAttachments($select=filename)")
    assert [row["filename"] for row in expanded["cf_recording_FileAttachments"]] == ["gesprek.mp3"]
    assert len(crm.rows(f"fileattachments?$filter=_objectid_value eq {recording} and filesizeinbytes gt 100")) == 1
    assert error_of(crm.send("DELETE", f"fileattachments({file_id})")) == (405, "0x80040800")
    crm.send("DELETE", f"cf_recordings({recording})")
    assert crm.rows("fileattachments") == []
