"""The package of an answer as the person will see it, before it is approved or released: its page in a frame
in which nothing runs, its letter page by page, its files one by one. It is made from the CRM as it is now,
and stored nowhere but for minutes in the memory of this process."""

import mimetypes
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from crm_compliance.answer_package.package import PackageBroken, package_of
from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.file_cache import Files
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.review.answers import Answer, actor_for, answer_for
from crm_compliance.console.pages.review.headers import PICTURES, SOUNDS, framed, inline, taken_away
from crm_compliance.wiring.crm import Patience
from jobs.files.file_texts import page_of
from jobs.ports.outbox import LeakFound, Unchecked
from jobs.requests.answer.decisions_file import version_of
from jobs.requests.answer.preview import preview_of
from rules.errors import NotFound, Refused
from rules.model.roles import Act

PAGES: Final = 60  # of a letter or another PDF that are shown
TEXT: Final = 200_000  # characters of a table or of data that are shown
HTML, LETTER, MANIFEST = "index.html", "letter.pdf", "manifest.json"
_STATE: Final = ".state"  # what was found when it was made; no file of a package is called so
_FRAME: Final = f"{PAGE['Content-Security-Policy']}; frame-src 'self'"


class Made(NamedTuple):
    """A package as it was made: `lacks` is the code of what the answer still lacks, `stopped` of what would
    stop a release because of `item`; with either of them it is a working copy."""

    files: Files
    lacks: str = ""
    stopped: str = ""
    item: str = ""


class Line(NamedTuple):
    """One file of a package in the list: `shows` is how it can be shown, empty where it cannot."""

    name: str
    size: int
    shows: str
    href: str


def show(visit: Visit) -> Response:
    """Show the frame of the page at once; what the CRM has to be read for comes after it."""
    answer = answer_for(visit)
    values: dict[str, Any] = {"answer": answer, "compilation": answer.compilation, "chosen": visit.query("file")[:200]}
    if visit.query("now"):  # without script
        values |= _values(answer, _made(answer))
    response = visit.page("review/preview.html.j2", **values)
    response.headers["Content-Security-Policy"] = _FRAME
    return response


def package(visit: Visit) -> Response:
    """Make the package, and show its files and the one that was chosen."""
    answer = answer_for(visit)
    return visit.part("review/package.html.j2", **_values(answer, _made(answer)))


def content(visit: Visit) -> Response:
    """Answer with one file of the package: for the frame, to be shown, or to be taken away. Raises
    NotFound: it has no such file."""
    name = visit.path("name")
    found = _file(_made(answer_for(visit)), name)
    media_type = mimetypes.guess_type(name)[0] or ""
    if visit.query("as") != "download":
        if name == HTML:
            return framed(found)
        if media_type in PICTURES | SOUNDS:
            return inline(found, media_type, in_frame=True)
    return taken_away(found, name.rpartition("/")[2])


def page(visit: Visit) -> Response:
    """Answer with a page of a PDF of the package as a picture, counted from 1."""
    made, number = _made(answer_for(visit)), visit.path("page")
    found = _file(made, visit.query("file"))
    if not (number.isascii() and number.isdecimal() and len(number) < 4 and 1 <= int(number) <= PAGES):
        raise NotFound("there is no such page", hint="go back to the preview", where="page")
    drawn = page_of(found, int(number) - 1)
    if drawn.why:
        raise NotFound("there is no such page", hint="go back to the preview", where="page")
    return inline(drawn.picture, "image/png")


def _file(made: Made, name: str) -> bytes:
    if name not in made.files or name == _STATE:
        raise NotFound("there is no such file in this package", hint="go back to the preview", where="file")
    return made.files[name]


def _values(answer: Answer, made: Made) -> dict[str, Any]:
    path = f"/requests/{answer.request.id}/preview"
    names = sorted((name for name in made.files if name != _STATE), key=lambda name: (name != HTML, name != LETTER, name == MANIFEST, name))
    lines = [Line(name, len(made.files[name]), _shows(name), f"{path}?file={name}") for name in names]
    asked = answer.visit.query("file")
    chosen = next((line for line in lines if line.name == asked), lines[0])
    text = ""
    count = 0
    if chosen.shows == "text":
        text = made.files[chosen.name].decode("utf-8", "replace")[:TEXT]
    elif chosen.shows == "pages" and not (first := page_of(made.files[chosen.name], 0)).why:
        count = first.pages
    return {
        "answer": answer,
        "compilation": answer.compilation,
        "made": made,
        "lines": lines,
        "chosen_file": chosen,
        "text": text,
        "pages": count,
        "shown_pages": min(count, PAGES),
        "path_of": path,
        "item_path": f"{answer.path}/{made.item}?show=all" if made.item else "",
    }


def _shows(name: str) -> str:
    media_type = mimetypes.guess_type(name)[0] or ""
    if name == HTML:
        return "frame"
    if media_type == "application/pdf":
        return "pages"
    if media_type in PICTURES:
        return "picture"
    if media_type in SOUNDS:
        return "sound"
    return "text" if not name.startswith("attachments/") and name.endswith((".json", ".csv")) else ""


def _made(answer: Answer) -> Made:
    """Return the package as it is, or as it was made a moment ago of the same answer. Raises ConnectorError:
    the CRM cannot be read; Refused: a file is not the one that was looked at."""
    services = answer.visit.services
    items = ",".join(map(version_of, answer.items))
    key = ("package", answer.request.id, answer.request.state.value, answer.compilation.generated_at.isoformat(), items)
    kept = services.kept.get(key)
    if kept is not None:
        return Made(kept, *kept[_STATE].decode().split("\n"))
    made = _make(answer)
    services.kept.put(key, {**made.files, _STATE: "\n".join((made.lacks, made.stopped, made.item)).encode()})
    return made


def _make(answer: Answer) -> Made:
    actor = actor_for(answer.visit)
    with answer.visit.services.desk(patience=Patience.OF_A_PERSON) as desk:  # a file may come slowly
        context = desk.context
        whole = preview_of(context, actor, answer.request.id)
        stopped = item = ""
        if not whole.lacks:
            try:
                return Made(package_of(whole.compilation, context.organisation, whole.attachments, told=whole.told))
            except (LeakFound, Unchecked, PackageBroken) as problem:
                stopped, item = problem.code, _item_of(answer, problem)
        whole = preview_of(context, actor, answer.request.id, working_copy=True)
        try:
            files = package_of(whole.compilation, context.organisation, whole.attachments, told=whole.told, working_copy=True)
        except PackageBroken as problem:
            raise Refused(str(problem), hint="compile the answer again", where=problem.where, code=problem.code) from None
        return Made(files, whole.lacks, stopped, item)


def _item_of(answer: Answer, problem: Refused) -> str:
    """Return the item because of which a release would stop; empty where it is none."""
    if isinstance(problem, LeakFound):
        return problem.item
    found = (each.item for each in answer.items if each.attachment is not None and each.attachment.name == problem.where)
    return next(found, "")


ENDPOINTS: Final = (
    get("/requests/{request}/preview", show, Act.SEE_ANSWER, is_long=True),
    get("/requests/{request}/preview/package", package, Act.SEE_ANSWER, is_long=True),
    get("/requests/{request}/preview/pages/{page}", page, Act.SEE_ANSWER, is_long=True),
    get("/requests/{request}/preview/files/{name:path}", content, Act.SEE_ANSWER, is_long=True),
)
