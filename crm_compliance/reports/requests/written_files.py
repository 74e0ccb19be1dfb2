"""The files of an answer that were written out, unencrypted, where somebody wanted them: review pages and
working copies; and their removal together with the sealed parts of their request.

The place and digest of each are sealed in a part of the request. Once that part is removed (the request is
closed, its days have passed, and of review pages also: the answer is compiled again), the file is removed
too, unless somebody has changed it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from crm_compliance.host.files import write_whole
from crm_compliance.reports.requests.review_page import review_page
from jobs.model.request import PLAIN_COPY, REVIEW_PAGE, SubjectRequest
from jobs.ports.store.store import Store
from jobs.register.request_steps import Actor
from jobs.requests.answer.review import for_page
from rules.decoders import decoder_of

_WRITTEN: Final = (REVIEW_PAGE, PLAIN_COPY)


class Written(msgspec.Struct, frozen=True):
    """Such a sealed part: where files were written, and the SHA-256 of each; also folders that were made for
    them."""

    files: tuple[tuple[str, str], ...] = ()


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


@contextmanager
def removing_files(store: Store, only: str = "") -> Iterator[None]:
    """Remove the files whose sealed part is removed within the block; `only` names the one request that is
    moved, where there is one."""
    parts = [(request, name) for name in _WRITTEN for request in ([only] if only else store.requests.with_part(name))]
    before = {part: _written(store, *part) for part in parts}
    yield
    for (request, name), files in before.items():
        if not _written(store, request, name):
            for where, digest in sorted(files, key=lambda file: -file[0].count("/")):  # a folder after what is in it
                _remove(Path(where), digest)


def _written(store: Store, request: str, name: str) -> tuple[tuple[str, str], ...]:
    part = store.requests.part(request, name)
    return decoder_of(Written).decode(part).files if part is not None else ()


def _remove(path: Path, digest: str) -> None:
    """Remove a file, with what a program that was killed had written of it, or a folder that is empty."""
    with suppress(OSError):  # on another machine, or removed already: nothing is left to do here
        if path.is_dir():
            path.rmdir()
            return
        for begun in path.parent.glob(f".{escape(path.name)}.????????.part"):
            begun.unlink()
        if path.exists() and sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
