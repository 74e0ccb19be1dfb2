"""What a page says once a step of a request is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from crm_compliance.reports.requests.written_files import removing_files
from jobs.ports.store.store import Store
from jobs.register.decision import Undone, decision_of, undone
from jobs.requests.answer.compile import compilation_of

UNDONE: Final = "request_undone"


@contextmanager
def noting(store: Store, request: str, note: str) -> Iterator[list[str]]:
    """Yield the note of a step: another one where it has undone what people had decided on the answer. Pages
    for reviewing that have lost their answer are removed."""
    said = [note]
    decision, old = decision_of(store, request), compilation_of(store, request)
    with removing_files(store, only=request):
        yield said
    if (decision, old) == (None, None):
        return
    found = undone(decision, decision_of(store, request), old, compilation_of(store, request))
    if found != Undone():
        said[0] = UNDONE
