"""What a step of a request undoes of what people had decided on its answer: told once the step is taken, and
so to nobody who may not take it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm_compliance.cli.terminal.output import output
from jobs.ports.store.store import Store


@contextmanager
def telling_undone(store: Store, request: str) -> Iterator[dict[str, Any]]:
    """Yield the document of a command, which has the key `undone` after the block where something is; and
    warn."""
    import msgspec

    from crm_compliance.reports.parts.sentences import counted
    from jobs.register.decision import Undone, decision_of, undone
    from jobs.requests.answer.compile import compilation_of

    decision, old = decision_of(store, request), compilation_of(store, request)
    document: dict[str, Any] = {}
    yield document
    if (decision, old) == (None, None):
        return
    found = undone(decision, decision_of(store, request), old, compilation_of(store, request))
    if found != Undone():
        document["undone"] = msgspec.to_builtins(found)
    decide = f"crm-compliance requests decide {request}"
    if found.refusal:
        output.warn(f"the refusal is undone; to refuse again: {decide} --refuse {found.refusal}")
    if found.gone or found.granted:
        said = ["what was granted is undone"]
        said += [f"{counted(found.gone, 'item')} of it the request does not have now"] if found.gone else []
        what = "the others" if found.gone else "it"
        said += [f"to grant {what} again: {decide} --grant {' '.join(found.granted)}"] if found.granted else []
        output.warn("; ".join(said))
    if found.reviewed:
        output.warn(f"to be taken again: {counted(found.reviewed, 'decision')} of the review, whose items are not what they were")
