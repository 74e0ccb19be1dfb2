"""Writes that may be repeated, because doing them twice is doing them once: deletes, cancellations,
purges."""

from __future__ import annotations

from connectors.dynamics.http import faults
from connectors.dynamics.http.transport import Again, Answer, Transport
from connectors.interface import ConnectorError, ReadIncomplete, Unreachable


def write(transport: Transport, method: str, address: str, content: object = None, *, if_match: str = "") -> Answer:
    """Send it until it is answered or patience ends; whatever is answered then.

    Raises:
        Unreachable, ReadIncomplete: no answer, each time.
    """
    where = address.partition("(")[0]
    last: list[Answer] = []

    def attempt() -> Answer:
        last.clear()
        try:
            answer = transport.send(method, address, content, if_match=if_match, where=where)
        except (Unreachable, ReadIncomplete) as failure:
            raise Again(failure) from None
        found = faults.fault(answer.status, answer.body)
        if answer.status != 429 and not faults.is_transient(found):
            return answer
        last.append(answer)
        told = faults.error(found, request=answer.request_id, where=where)
        wait_s = transport.retry_after(answer.headers) if "Retry-After" in answer.headers or answer.status == 429 else None
        raise Again(told, wait_s, throttled=answer.status == 429)

    try:
        return transport.until_done(attempt)
    except ConnectorError:
        if last:
            return last[0]
        raise
