"""The review pages that were written out, and their removal together with the working copies of their
request.

A page is stored where somebody wanted it, unencrypted. Its place and digest are sealed with the request's
other parts. Once that part is removed (the answer is compiled again, the request is closed, its days have
passed), the file is removed too, unless somebody has changed it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from crm_compliance.host.files import write_whole
from crm_compliance.reports.requests.review_page import review_page
from jobs.model.request import REVIEW_PAGE
from jobs.ports.store.store import Store
from jobs.register.request_steps import Actor
from jobs.requests.answer.review import for_page
from rules.decoders import decoder_of


class Page(msgspec.Struct, frozen=True):
    """The sealed part `review_page`: where pages were written, and the SHA-256 of each."""

    files: tuple[tuple[str, str], ...] = ()


def write_page(actor: Actor, request_id: str, path: Path) -> int:
    """Write the page for reviewing an answer (mode 0600), and seal what becomes of it; give how many items it
    has. Raises Refused: with code `role` or `not_compiled`; DiskProblem: it cannot be written."""
    request, compilation = for_page(actor, request_id)
    content = review_page(compilation, actor.calendar).encode()
    where, digest = str(path.resolve()), hashlib.sha256(content).hexdigest()
    before = [file for file in _page(actor.store, request_id).files if file[0] != where]
    part = msgspec.json.encode(Page((*before, (where, digest))))
    actor.store.requests.save(request, since=request, parts={REVIEW_PAGE: part})  # first: what is written has its end already
    with write_whole(path) as out:
        out.write(content)
    return len(compilation.items)


@contextmanager
def removing_pages(store: Store, only: str = "") -> Iterator[None]:
    """Remove the pages whose sealed part is removed within the block; `only` names the one request that is
    moved, where there is one."""
    requests = [only] if only else [request.id for request in store.requests.all()]
    before = {request: page for request in requests if (page := _page(store, request)).files}
    yield
    for request, page in before.items():
        if not _page(store, request).files:
            for where, digest in page.files:
                _remove(Path(where), digest)


def _page(store: Store, request: str) -> Page:
    part = store.requests.part(request, REVIEW_PAGE)
    return decoder_of(Page).decode(part) if part is not None else Page()


def _remove(path: Path, digest: str) -> None:
    with suppress(OSError):  # on another machine, or removed already: nothing is left to do here
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
