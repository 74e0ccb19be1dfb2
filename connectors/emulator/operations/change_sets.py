"""A `$batch` carried out, in order: a change set is all or nothing, so that where one of its operations is
refused, those before it are undone. How its body is read is in request/batch_body.py; the faults and limits
that each operation meets by itself are in serving/batch_faults_and_limits.py."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from connectors.emulator.errors import PAYLOAD, WebApiError, bad_payload, bad_query
from connectors.emulator.request.batch_body import (
    ChangeSet,
    Part,
    boundary_of,
    multipart,
    nested,
    part_bytes,
    read_batch,
    unreadable,
)
from connectors.emulator.request.exchange import Answer, Operation

MAX_OPERATIONS = 1_000

Run = Callable[[Operation], Answer]


class _RolledBack(Exception):
    def __init__(self, part: Part, answer: Answer) -> None:
        super().__init__()
        self.part, self.answer = part, answer


def handle_batch(
    outer: Operation,
    run: Run,
    transaction: Callable[[], AbstractContextManager[None]],
    *,
    continue_on_error: bool,
    plain_failures: bool,
) -> Answer:
    """Execute a batch, in order. The answer is multipart, also when it is a 400; with `plain_failures` the
    one error of a failed change set is an ordinary part."""
    boundary = boundary_of(outer.headers.get("content-type", ""))
    if boundary is None:
        raise bad_payload("$batch", "The value of the Content-Type header of a batch request must be multipart/mixed with a boundary.")
    if not outer.body.endswith(b"\n"):
        return unreadable()
    items = read_batch(outer, boundary)
    if sum(len(item.parts) if isinstance(item, ChangeSet) else 1 for item in items) > MAX_OPERATIONS:
        raise WebApiError(
            400,
            PAYLOAD,
            "The current batch message contains too many parts. Only batch messages with a maximum number of "
            f"'{MAX_OPERATIONS}' query operations, including changeset operations, are allowed.",
        )
    name = f"batchresponse_{uuid.uuid4()}"
    chunks: list[bytes] = []
    failed = False
    for item in items:
        if isinstance(item, ChangeSet):
            chunk, failed_now = _change_set(item, run, transaction, plain_failures=plain_failures)
        else:
            answer = run(item.operation)
            chunk, failed_now = part_bytes(answer), answer.status >= 400
        chunks.append(chunk)
        failed = failed or failed_now
        if failed_now and not continue_on_error:
            break
    status = 400 if failed and not continue_on_error else 200
    return multipart(status, name, chunks)


def _change_set(
    change_set: ChangeSet, run: Run, transaction: Callable[[], AbstractContextManager[None]], *, plain_failures: bool
) -> tuple[bytes, bool]:
    name = f"changesetresponse_{uuid.uuid4()}"
    references: dict[str, str] = {}
    chunks: list[bytes] = []
    try:
        with transaction():
            for part in change_set.parts:
                answer = _checked(part, references, run)
                if answer.status >= 400:
                    raise _RolledBack(part, answer)
                if part.content_id is not None:
                    references[part.content_id] = answer.location or ""
                chunks.append(part_bytes(answer, part.content_id))
    except _RolledBack as failure:
        refusal = part_bytes(failure.answer, failure.part.content_id)
        return refusal if plain_failures else nested(name, [refusal]), True
    return nested(name, chunks), False


def _checked(part: Part, references: dict[str, str], run: Run) -> Answer:
    problem = None
    if part.operation.method == "GET":
        problem = bad_query("A GET operation is not allowed in a change set.")
    elif part.content_id is None:
        problem = bad_query("Content-ID is missing: every operation of a change set must have one.")
    elif part.content_id in references:
        problem = bad_query(f"The content ID '{part.content_id}' was found more than once in the same change set.")
    if problem is not None:
        return Answer(problem.status, problem.body())
    part.operation.references = {key: address for key, address in references.items() if address}
    return run(part.operation)
