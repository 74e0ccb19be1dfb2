"""Notes and attachments: base64 in the row, blocks for large ones, a limit, and their end with the parent."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.emulator.serving.server import running
from tests.connectors.emulator.client import Client
from tests.web_api import error_of, new_id

pytestmark = pytest.mark.row(34)
LIMIT = 5 * 1024 * 1024
NOTE = "Microsoft.Dynamics.CRM.annotation"
WITH_MAIL = """
tables:
  email:
    set: emails
    activity: true
    columns:
      activityid: {type: guid, key: true}
      subject: {type: string(800), primary_name: true}
  activitymimeattachment:
    set: activitymimeattachments
    columns:
      activitymimeattachmentid: {type: guid, key: true}
      filename: {type: string(255), primary_name: true}
      mimetype: {type: string(256)}
      objectid: {type: lookup email}
      body: {type: memo(1073741823)}
  cf_badge:
    set: cf_badges
    columns:
      cf_badgeid: {type: guid, key: true, primary_name: true}
      cf_front: {type: image}
      cf_back: {type: image}
relationships:
  - {name: email_activity_mime_attachment, parent: email, child: activitymimeattachment, column: objectid, on_delete: cascade}
"""


def encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def post(crm: Client, message: str, **parameters: Any) -> requests.Response:
    return crm.send("POST", message, parameters)


def block_id(number: int) -> str:
    return encoded(f"block-{number:04d}".encode())


def sent(crm: Client, token: str, body: bytes, size: int = 4_000_000) -> list[str]:
    """Uploads a body in blocks; gives their ids."""
    ids = []
    for number, start in enumerate(range(0, len(body), size)):
        block = {"BlockId": block_id(number), "BlockData": encoded(body[start : start + size]), "FileContinuationToken": token}
        assert post(crm, "UploadBlock", **block).status_code == 204
        ids.append(block["BlockId"])
    return ids


def fetched(crm: Client, started: dict[str, Any], size: int = 4_194_304) -> bytes:
    body = b""
    while len(body) < started["FileSizeInBytes"]:
        asked = {"Offset": len(body), "BlockLength": size, "FileContinuationToken": started["FileContinuationToken"]}
        body += base64.b64decode(post(crm, "DownloadBlock", **asked).json()["Data"])
    return body


def test_a_notes_document_is_base64_also_by_its_address(crm: Client) -> None:
    body = encoded(b"verzonnen")
    note = crm.create("annotations", subject="n", filename="a.txt", mimetype="text/plain", documentbody=body)
    assert crm.row(f"annotations({note})")["isdocument"] is True
    assert crm.row(f"annotations({note})?$select=documentbody")["documentbody"] == body
    answer = crm.get(f"annotations({note})/documentbody/$value")
    assert (answer.text, answer.headers["Content-Type"]) == (body, "text/plain")
    assert error_of(crm.send("PATCH", f"annotations({note})", {"documentbody": "no base64!"})) == (400, "0x80040203")
    crm.send("PATCH", f"annotations({note})", {"documentbody": None})
    assert crm.row(f"annotations({note})")["isdocument"] is False


def test_the_size_of_a_document_is_told_in_bytes_and_is_nobodys_to_write(crm: Client) -> None:
    fiche = crm.create("cf_fiches", cf_name="F-1")
    hangs = {"objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"}
    note = crm.create("annotations", documentbody=encoded(b"four!"), filename="a.txt", **hangs)
    without = crm.create("annotations", notetext="zonder (verzonnen)", **hangs)
    read = "?$select=filesize"
    assert [crm.get(f"annotations({row}){read}").json()["filesize"] for row in (note, without)] == [5, None]
    crm.send("PATCH", f"annotations({note})", {"documentbody": encoded(b"longer than before")})
    assert crm.get(f"annotations({note}){read}").json()["filesize"] == 18
    crm.send("PATCH", f"annotations({note})", {"filesize": 1})
    assert crm.get(f"annotations({note}){read}").json()["filesize"] == 18
    size = crm.get("EntityDefinitions(LogicalName='annotation')/Attributes(LogicalName='filesize')").json()
    assert (size["IsValidForCreate"], size["IsValidForUpdate"], size["IsValidForRead"]) == (False, False, True)


def test_a_document_has_a_largest_size_that_the_organisation_sets(crm: Client) -> None:
    note = crm.create("annotations", subject="n")
    assert crm.send("PATCH", f"annotations({note})", {"documentbody": encoded(bytes(LIMIT))}).status_code == 204
    too_big = encoded(bytes(LIMIT + 1))
    assert error_of(crm.send("PATCH", f"annotations({note})", {"documentbody": too_big})) == (400, "0x80044a02")
    assert error_of(crm.send("POST", "annotations", {"documentbody": too_big})) == (400, "0x80044a02")
    organisation = crm.rows("organizations?$select=maxuploadfilesize")[0]
    assert organisation["maxuploadfilesize"] == LIMIT
    crm.send("PATCH", f"organizations({organisation['organizationid']})", {"maxuploadfilesize": LIMIT + 1})
    assert crm.send("PATCH", f"annotations({note})", {"documentbody": too_big}).status_code == 204


@pytest.mark.parametrize(("table_set", "navigation"), [("cf_fiches", "objectid_cf_fiche"), ("contacts", "objectid_contact")])
def test_a_note_goes_with_its_parent(crm: Client, table_set: str, navigation: str) -> None:
    parent = crm.fiche() if table_set == "cf_fiches" else crm.contact()
    note = crm.create("annotations", **{"subject": "n", f"{navigation}@odata.bind": f"/{table_set}({parent})"})
    row = crm.row(f"annotations({note})")
    assert (row["_objectid_value"], row["objecttypecode"]) == (parent, navigation.removeprefix("objectid_"))
    crm.send("DELETE", f"{table_set}({parent})")
    assert not crm.exists("annotations", note)


def test_a_large_note_is_moved_in_blocks_both_ways(crm: Client) -> None:
    note = crm.create("annotations", subject="n")
    body = bytes(range(256)) * 18_000
    target = {"@odata.type": NOTE, "annotationid": note, "filename": "a.bin", "mimetype": "application/pdf"}
    token = post(crm, "InitializeAnnotationBlocksUpload", Target=target).json()["FileContinuationToken"]
    blocks = sent(crm, token, body)
    assert len(blocks) == 2
    done = post(crm, "CommitAnnotationBlocksUpload", Target=target, BlockList=blocks, FileContinuationToken=token).json()
    assert (done["AnnotationId"], done["FileSizeInBytes"]) == (note, len(body))
    row = crm.row(f"annotations({note})")
    assert (row["subject"], row["filename"], row["mimetype"], row["isdocument"]) == ("n", "a.bin", "application/pdf", True)
    started = post(crm, "InitializeAnnotationBlocksDownload", Target={"@odata.type": NOTE, "annotationid": note}).json()
    assert (started["FileName"], started["FileSizeInBytes"]) == ("a.bin", len(body))
    assert fetched(crm, started) == body


def test_the_commit_of_a_note_without_an_id_creates_it(crm: Client) -> None:
    fiche = crm.fiche()
    target = {"@odata.type": NOTE, "subject": "new", "filename": "a.txt", "objectid_cf_fiche@odata.bind": f"/cf_fiches({fiche})"}
    token = post(crm, "InitializeAnnotationBlocksUpload", Target=target).json()["FileContinuationToken"]
    assert crm.rows("annotations") == []
    blocks = sent(crm, token, b"verzonnen")
    done = post(crm, "CommitAnnotationBlocksUpload", Target=target, BlockList=blocks, FileContinuationToken=token).json()
    row = crm.row(f"annotations({done['AnnotationId']})")
    assert (row["_objectid_value"], row["documentbody"]) == (fiche, encoded(b"verzonnen"))


def test_a_note_in_blocks_keeps_to_the_limit_and_to_its_own_token(crm: Client) -> None:
    note, other = crm.create("annotations", subject="n"), crm.create("annotations", subject="m")
    target = {"@odata.type": NOTE, "annotationid": note}
    token = post(crm, "InitializeAnnotationBlocksUpload", Target=target).json()["FileContinuationToken"]
    blocks = sent(crm, token, bytes(LIMIT + 1))
    commit: dict[str, Any] = {"Target": target, "BlockList": blocks, "FileContinuationToken": token}
    assert error_of(post(crm, "CommitAnnotationBlocksUpload", **commit)) == (400, "0x80044a02")
    elsewhere = {**commit, "Target": {**target, "annotationid": other}}
    assert error_of(post(crm, "CommitAnnotationBlocksUpload", **elsewhere)) == (400, "0x80040203")
    by_file = {"FileName": "a", "MimeType": "a/b", "BlockList": blocks, "FileContinuationToken": token}
    assert error_of(post(crm, "CommitFileBlocksUpload", **by_file)) == (400, "0x80040203")
    assert error_of(post(crm, "InitializeAnnotationBlocksUpload", Target={**target, "annotationid": new_id()})) == (404, "0x80040217")
    contact = {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": new_id()}
    assert post(crm, "InitializeAnnotationBlocksDownload", Target=contact).status_code == 400
    assert post(crm, "InitializeAttachmentBlocksUpload", Target=contact).status_code == 400, "there is no such table here"
    assert crm.row(f"annotations({note})")["documentbody"] is None


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Client]:
    """An organisation with attachments of e-mails, and with a table of two images."""
    environment = tmp_path / "environment.yaml"
    environment.write_text(WITH_MAIL, encoding="utf-8")
    with running(environment=environment) as emulator:
        client = Client(emulator)
        yield client
        client.http.close()


def test_an_attachment_moves_in_blocks_and_goes_with_its_mail(mail: Client) -> None:
    email = mail.create("emails", subject="s")
    target = {
        "@odata.type": "Microsoft.Dynamics.CRM.activitymimeattachment",
        "filename": "a.txt",
        "objectid@odata.bind": f"/emails({email})",
    }
    token = post(mail, "InitializeAttachmentBlocksUpload", Target=target).json()["FileContinuationToken"]
    blocks = sent(mail, token, b"verzonnen")
    done = post(mail, "CommitAttachmentBlocksUpload", Target=target, BlockList=blocks, FileContinuationToken=token).json()
    attachment = done["ActivityMimeAttachmentId"]
    row = mail.row(f"activitymimeattachments({attachment})")
    assert (row["body"], row["_objectid_value"]) == (encoded(b"verzonnen"), email)
    known = {"@odata.type": target["@odata.type"], "activitymimeattachmentid": attachment}
    started = post(mail, "InitializeAttachmentBlocksDownload", Target=known).json()
    assert fetched(mail, started) == b"verzonnen"
    mail.send("DELETE", f"emails({email})")
    assert not mail.exists("activitymimeattachments", attachment)


def test_a_create_takes_the_primary_image_only(mail: Client) -> None:
    picture = encoded(b"\x89PNG\r\n\x1a\n" + bytes(20))
    assert error_of(mail.send("POST", "cf_badges", {"cf_back": picture})) == (400, "0x80090487")
    badge = mail.create("cf_badges", cf_front=picture)
    assert mail.send("PATCH", f"cf_badges({badge})", {"cf_back": picture}).status_code == 204
