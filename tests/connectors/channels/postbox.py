"""A mail server on this machine that keeps what it takes. Everybody is fictitious."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from connectors.channels.mail import Security
from connectors.emulator.serving.certificates import ServerCertificate

TOKEN = "token-canary"
USER, PASSWORD = "compliance@example.org", "hunter2-canary"


@dataclass
class Postbox:
    """What a mail server has taken, and under what conditions."""

    port: int = 0
    ca_file: str = ""
    taken: list[tuple[Envelope, EmailMessage]] = field(default_factory=list)
    goodbye: str = "221 Bye"
    said: list[bytes] = field(default_factory=list)  # by who signs in with a token

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox here: nobody-canary"
        if address.startswith("later@"):
            return "450 4.2.0 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        self.said.append(base64.b64decode(args[1]))
        if self.said[-1] == f"user={USER}\x01auth=Bearer {TOKEN}\x01\x01".encode():
            return AuthResult(success=True)
        self.said.append(await server.challenge_auth('{"status":"400","schemes":"Bearer","scope":"canary"}'))
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        return self.goodbye


class AnyPort(Controller):
    """Listens at a port that is free, and says which."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def listening(made: ServerCertificate, folder: Path, security: Security, *, signs_in: bool = True) -> Iterator[Postbox]:
    """A mail server on this machine."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        fits = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=fits, handled=False)

    with ExitStack() as stack:
        certificate, key = stack.enter_context(made.files())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        authority = folder / "ca.pem"
        authority.write_bytes(made.authority)
        box = Postbox(ca_file=str(authority))
        options: dict[str, Any] = {}
        if security is Security.STARTTLS:
            options |= {"tls_context": context, "require_starttls": True}
        elif security is Security.TLS:
            options |= {"ssl_context": context}
        if signs_in:
            is_late = security is Security.STARTTLS  # of the other kind of TLS this server knows nothing
            options |= {"authenticator": authenticate, "auth_required": is_late, "auth_require_tls": is_late}
        controller = AnyPort(box, hostname="127.0.0.1", port=0, server_hostname="localhost", **options)
        controller.start()
        stack.callback(controller.stop)
        box.port = controller.port
        yield box
