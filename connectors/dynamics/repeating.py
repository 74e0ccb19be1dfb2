"""Writes that may be repeated, because doing them twice is doing them once: deletes, cancellations, purges."""

from __future__ import annotations

from connectors.dynamics import faults
from connectors.dynamics.transport import Answer, Transport, backoff_s
from connectors.interface import ReadIncomplete, Unreachable


def write(transport: Transport, method: str, address: str, content: object = None, *, if_match: str = "") -> Answer:
    """Send it until it is answered or patience ends; whatever is answered then.

    Raises:
        Unreachable, ReadIncomplete: no answer, each time.
    """
    waited_s, tries = 0.0, 0
    while True:
        try:
            answer = transport.send(method, address, content, if_match=if_match, where=address.partition("(")[0])
        except (Unreachable, ReadIncomplete):
            if tries == transport.environment.retries:
                raise
            wait_s = backoff_s(tries + 1)
            tries += 1
        else:
            if answer.status == 429:
                wait_s = transport.retry_after(answer.headers)
                waited_s += wait_s
                if waited_s > transport.environment.max_wait_s:
                    return answer
            elif faults.is_transient(faults.fault(answer.status, answer.body)) and tries < transport.environment.retries:
                wait_s = backoff_s(tries + 1)
                tries += 1
            else:
                return answer
        transport.pause(wait_s)
