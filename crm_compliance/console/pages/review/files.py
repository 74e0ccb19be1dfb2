"""The file of an item, to be looked at: a picture redrawn, the pages of a PDF as pictures, a sound; and
what a program reads in it. Whatever else it is, it is taken away and opened elsewhere."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.review.answers import Answer, answer_for
from crm_compliance.console.pages.review.headers import PDF, PICTURES, SOUNDS, inline, taken_away
from crm_compliance.wiring.crm import Patience
from jobs.files.file_texts import page_of, reading_of
from jobs.model.answer import Attachment, Item
from jobs.requests.search.documents import content_of
from rules.errors import NotFound, Refused
from rules.model.media_types import plain_type
from rules.model.roles import Act

PAGES: Final = 40  # of a PDF that are shown here
TEXT: Final = 200_000  # characters of what a program reads in a file


class Looked(NamedTuple):
    """What can be shown of a file: `kind` is picture, pages, sound, or empty where it cannot be shown."""

    kind: str
    media_type: str
    files: Mapping[str, bytes]
    pages: int = 0


def show(visit: Visit) -> Response:
    """Show the file of an item, in its place or as a page of its own."""
    answer, item, attachment = _asked(visit)
    looked = _looked(answer, item, attachment)
    values: dict[str, Any] = {
        "item": item,
        "answer": answer,
        "looked": looked,
        "address": f"{answer.path}/{item.item}/file",
        "shown_pages": min(looked.pages, PAGES),
        "text": looked.files["text"].decode(),
        "file_name": attachment.name,
    }
    return visit.part("review/look.html.j2", **values) if visit.is_part else visit.page("review/file_page.html.j2", **values)


def content(visit: Visit) -> Response:
    """Answer with a picture or a sound to be shown, or with any file to be taken away."""
    answer, item, attachment = _asked(visit)
    looked = _looked(answer, item, attachment)
    is_shown = visit.query("as") != "download" and looked.kind in ("picture", "sound")
    answer.show_file(item)
    return inline(looked.files["shown"], looked.media_type) if is_shown else taken_away(looked.files["content"], attachment.name)


def page(visit: Visit) -> Response:
    """Answer with one page of a PDF as a picture, counted from 1. Raises NotFound: there is no such
    page."""
    answer, item, attachment = _asked(visit)
    looked, number = _looked(answer, item, attachment), visit.path("page")
    last = min(looked.pages, PAGES)
    if not (number.isascii() and number.isdecimal() and len(number) < 4 and 1 <= int(number) <= last):
        raise NotFound("there is no such page", hint="go back to the item", where="page")
    drawn = page_of(looked.files["content"], int(number) - 1)
    if drawn.why:
        raise Refused("this page cannot be shown", hint="download the file to look at it", code="attachment")
    if int(number) == last:
        answer.show_file(item)
    return inline(drawn.picture, "image/png")


def _asked(visit: Visit) -> tuple[Answer, Item, Attachment]:
    answer = answer_for(visit)
    item = answer.item(visit.path("item"))
    if item.attachment is None:
        raise NotFound("this item has no file", hint="go back to the item", where="item")
    return answer, item, item.attachment


def _looked(answer: Answer, item: Item, attachment: Attachment) -> Looked:
    """Return the file as it was checked, from the CRM or as it was read a moment ago. Raises Refused: with
    code `attachment`, where it is gone or another one by now; ConnectorError: it cannot be read."""
    kept = answer.visit.services.kept
    key = ("file", answer.request.id, item.digest)
    files = kept.get(key)
    if files is None:
        files = _read(answer, attachment)
        kept.put(key, files)
    kind = files["kind"].decode()
    media_type = plain_type(attachment.media_type)
    return Looked(kind, media_type, files, int(files["pages"]))


def _read(answer: Answer, attachment: Attachment) -> Mapping[str, bytes]:
    with answer.visit.services.desk(patience=Patience.OF_A_PERSON) as desk:  # a file may come slowly
        found = content_of(desk.context, attachment.kind, attachment.id, attachment.field)
    if found is None:
        raise Refused("this file is no longer there", hint="compile the answer again", code="attachment")
    if attachment.sha256 and attachment.sha256 != hashlib.sha256(found.body).hexdigest():
        raise Refused("this file is another one than was checked", hint="compile the answer again", code="attachment")
    media_type = plain_type(attachment.media_type)
    reading = reading_of(found.body, attachment.media_type)
    kind, pages, shown = "", 0, b""
    if media_type in PICTURES and reading.content is not None:
        kind, shown = "picture", reading.content
    elif media_type in SOUNDS:
        kind, shown = "sound", found.body
    elif media_type == PDF and not (first := page_of(found.body, 0)).why:
        kind, pages = "pages", first.pages
    text = "\n\n".join(reading.texts)[:TEXT]
    return {"content": found.body, "shown": shown, "kind": kind.encode(), "pages": str(pages).encode(), "text": text.encode()}


ENDPOINTS: Final = (
    get("/requests/{request}/review/{item}/file", show, Act.SEE_ANSWER, is_long=True),
    get("/requests/{request}/review/{item}/file/content", content, Act.SEE_ANSWER, is_long=True),
    get("/requests/{request}/review/{item}/file/pages/{page}", page, Act.SEE_ANSWER, is_long=True),
)
