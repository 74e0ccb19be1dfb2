"""The files of an answer that are written out, unencrypted, where somebody wants them: review pages and
working copies.

The place and digest of each are sealed in a part of the request. Once that part is removed (the request is
closed, its days have passed, and of review pages also: the answer is compiled again), the store removes the
file too, unless somebody has changed it."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from crm_compliance.host.files import write_whole
from crm_compliance.reports.requests.review_page import review_page
from crm_compliance.store.files.written_files import Written
from jobs.model.request import REVIEW_PAGE, SubjectRequest
from jobs.ports.store.store import Store
from jobs.register.request_steps import Actor
from jobs.requests.answer.review import for_page
from rules.decoders import decoder_of


def write_page(actor: Actor, request_id: str, path: Path) -> int:
    """Write the page for reviewing an answer (mode 0600), and seal what becomes of it; give how many items it
    has. Raises Refused: with code `role` or `not_compiled`; DiskProblem: it cannot be written."""
    request, compilation = for_page(actor, request_id)
    content = review_page(compilation, actor.calendar).encode()
    seal_end(actor.store, request, REVIEW_PAGE, {path: content})
    with write_whole(path) as out:
        out.write(content)
    return len(compilation.items)


def seal_end(store: Store, request: SubjectRequest, name: str, contents: Mapping[Path, bytes]) -> None:
    """Seal which files are about to be written, in the part `name`: what is written has its end already."""
    new = {str(path.resolve()): sha256(content).hexdigest() for path, content in contents.items()}
    before = (file for file in _written(store, request.id, name) if file[0] not in new)
    store.requests.save(request, since=request, parts={name: msgspec.json.encode(Written((*before, *new.items())))})


def _written(store: Store, request: str, name: str) -> tuple[tuple[str, str], ...]:
    part = store.requests.part(request, name)
    return decoder_of(Written).decode(part).files if part is not None else ()
