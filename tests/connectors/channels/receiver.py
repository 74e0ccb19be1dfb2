"""What channels speak to in tests: an HTTP server on this machine that notes what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from connectors.channels.channel import Line, Notice

AT = datetime(2026, 11, 25, 11, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are the statuses of the next requests; afterwards all are taken."""

    url: str = ""
    sent: list[Sent] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen until the block ends."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.sent.append(Sent(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.answers.pop(0) if found.answers else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def a_notice(**changes: object) -> Notice:
    """A notice of one plan that waits."""
    line = Line(
        key="0123456789abcdef0123456789abcdef",
        text="A plan to dispose of 3 units waits for your approval – due on 28 Nov 2026",
        kind="plan_to_approve",
        stage="soon",
        href="https://compliance.example.org/plans/plan-0123456789ab",
        code="EXPIRES_SOON",
        subject="plan-0123456789ab",
        count=3,
        roles=("crm_admin", "dpo"),
    )
    usual = {
        "id": "msg-1",
        "at": AT,
        "language": "en",
        "title": "crm-compliance: a plan waits",
        "lead": "This waits for you.",
        "foot": "Open the console",
        "address": "https://compliance.example.org/",
        "lines": (line,),
    }
    return Notice(**{**usual, **changes})  # type: ignore[arg-type]
