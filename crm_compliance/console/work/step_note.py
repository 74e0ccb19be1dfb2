"""What a page says once a step of a request is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from jobs.ports.store.store import Store
from jobs.register.decision import Undone, decision_of, undone
from jobs.requests.answer.compile import compilation_of

UNDONE: Final = "request_undone"


@contextmanager
def noting(store: Store, request: str, note: str) -> Iterator[list[str]]:
    """Yield the note of a step: another one where it has undone what people had decided on the answer."""
    said = [note]
    decision, old = decision_of(store, request), compilation_of(store, request)
    yield said
    if (decision, old) == (None, None):
        return
    found = undone(decision, decision_of(store, request), old, compilation_of(store, request))
    if found != Undone():
        said[0] = UNDONE
