"""Lines and changes of a plan as files for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from typing import IO, BinaryIO, Final, cast

from starlette.responses import Response, StreamingResponse

from crm_compliance.console.access.headers import saved_as
from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.services import waiting_for
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.language.line_words import line_words
from crm_compliance.console.pages.plans.changes import compared_with
from crm_compliance.console.pages.plans.lines import query_of
from crm_compliance.reports.plan.changes import Difference, write_difference
from crm_compliance.reports.plan.lines_file import InWords, write_lines
from rules.model.roles import Act

TYPES: Final = {".csv": "text/csv; charset=utf-8", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
PIECE: Final = 256 * 1024
WAIT_S: Final = 30.0
_one_at_a_time = BoundedSemaphore(1)  # a million lines keep a processor busy: pages go first
_queue = BoundedSemaphore(6)  # whoever waits keeps a thread from the pages


def lines(suffix: str) -> Callable[[Visit], Response]:
    """Return what answers with every line that passes the filters of the address, in its order."""

    def answer(visit: Visit) -> Response:
        plan = visit.services.store.plans.get(visit.path("plan"))
        query = query_of(visit)
        view = visit.services.lines.of(plan.id)
        link = visit.services.links(plan.crm)

        def write(out: BinaryIO) -> None:
            write_lines(suffix, view, query, out, link=link, now=visit.now, language=visit.language, words=_words(visit))

        return download(f"{plan.id}-units{suffix}", suffix, write)

    return answer


def changes(suffix: str) -> Callable[[Visit], Response]:
    """Return what answers with every change since the plan that the address names."""

    def answer(visit: Visit) -> Response:
        plan = visit.services.store.plans.get(visit.path("plan"))
        found = compared_with(visit, plan, visit.query("since"))
        difference = Difference(found, visit.services.links(plan.crm), visit.now, visit.language, _words(visit))

        def write(out: BinaryIO) -> None:
            write_difference(suffix, difference, out)

        return download(f"{plan.id}-changes{suffix}", suffix, write)

    return answer


def _words(visit: Visit) -> InWords:
    return line_words(visit.language, visit.category, visit.services.own_words)


def download(name: str, suffix: str, write: Callable[[BinaryIO], None]) -> Response:
    """Answer with a file that is written whole before its first byte is sent, so that a failure is told as
    one. Raises Busy: another large file is being written."""
    with waiting_for(_one_at_a_time, _queue, WAIT_S, "another file is being written at this moment"):
        out = TemporaryFile()  # noqa: SIM115  closed by what sends it
        try:
            write(cast(BinaryIO, out))
            size = out.tell()
            out.seek(0)
        except BaseException:
            out.close()
            raise
    headers = {**saved_as(name), "Content-Length": str(size)}
    return StreamingResponse(_pieces(out), media_type=TYPES[suffix], headers=headers)


def _pieces(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        while piece := out.read(PIECE):
            yield piece


ENDPOINTS: Final = (
    *(get(f"/plans/{{plan}}/lines{suffix}", lines(suffix), Act.SEE_REPORTS, is_long=True) for suffix in TYPES),
    *(get(f"/plans/{{plan}}/changes{suffix}", changes(suffix), Act.SEE_REPORTS, is_long=True) for suffix in TYPES),
)
