"""A notice by e-mail, over SMTP with TLS."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from threading import Timer
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from connectors.channels.channel import ChannelFailed, Notice, TakenInPart
from rules.errors import ComplianceError

if TYPE_CHECKING:
    from connectors.dynamics.http.auth import TokenSource

TIMEOUT_S: Final = 20.0
OF_A_SESSION: Final = 6  # times as long as one answer may be silent
NEEDS_SIGN_IN: Final = 530
NEVER: Final = 500  # and above: refused for good; below, another time may do
XOAUTH2: Final = "XOAUTH2"
Writes: TypeAlias = Callable[[Notice], tuple[str, str]]  # a notice as text, and the same as a page of HTML


class Security(StrEnum):
    """How the line is secured: TLS from its first byte, TLS after STARTTLS, or not at all, which is for a
    relay on this machine."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Mail:
    """A channel to one mail server, in the name of one sender. A server that does not offer what `security`
    asks for gets nothing: no password and no message goes over an open line. `writes` gives what a message
    says. With `tokens` the `user` signs in by a bearer token (SASL XOAUTH2) and not by a password."""

    def __init__(
        self,
        name: str,
        *,
        host: str,
        port: int,
        security: Security,
        sender: str,
        writes: Writes,
        user: str = "",
        password: str = "",
        tokens: "TokenSource | None" = None,
        ca_file: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name = name
        self._host, self._port, self._security, self._sender, self._writes = host, port, security, sender, writes
        self._user, self._password, self._tokens = user, password, tokens
        self._ca_file, self._timeout_s = ca_file, timeout_s

    def send(self, notice: Notice, to: Sequence[str] = ()) -> None:
        """Send one message to all of `to`; one whom the server does not take fails it, once the others have
        it: TakenInPart where a repetition would change nothing."""
        message = message_of(notice, self._writes(notice), self._sender, to)
        with self._connected() as server:
            refused = server.send_message(message, from_addr=self._sender, to_addrs=list(to))
        if refused:
            is_for_good = all(code >= NEVER for code, _ in refused.values())
            raise (TakenInPart if is_for_good else ChannelFailed)(
                f"the mail server of {self.name} does not take {len(refused)} of {len(to)} recipients",
                hint="look at the addresses in the alerts file",
                where=self.name,
                code="mail_recipients",
            )

    def check(self) -> str:
        with self._connected() as server:
            server.noop()
        signed_in = " and signed in" if self._user else ""
        return f"connected ({self._security.value}){signed_in}; nothing was sent"

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Yield a session with the server, secured and signed in. Raises ChannelFailed: also for what happens
        in the block."""
        try:
            with closing(self._opened()) as server:
                if self._security is Security.STARTTLS:
                    server.starttls(context=self._context())
                if self._tokens is not None:
                    self._sign_in(server, self._tokens)
                elif self._user:
                    server.login(self._user, self._password)
                yield server
                with suppress(OSError):  # what it has taken stays taken, whatever it says to a goodbye
                    server.quit()
        except (OSError, UnicodeError) as error:  # all that smtplib and ssl raise; a host name can be none
            raise self._told(error) from None

    def _told(self, error: Exception) -> ChannelFailed:
        """Return what went wrong, in words of ours: those of the server may hold an address."""
        match error:
            case smtplib.SMTPNotSupportedError():
                return self._failed("offers neither STARTTLS nor sign-in as it was told to", "look at port and security", "mail_insecure")
            case smtplib.SMTPAuthenticationError() if self._tokens is not None:
                return self._failed("does not accept the token", "look at user, and at what the application may do", "mail_token")
            case smtplib.SMTPAuthenticationError():
                return self._failed("does not accept user and password", "look at ALERT_SECRETS", "mail_login")
            case smtplib.SMTPRecipientsRefused():
                return self._failed("takes none of the recipients", "look at the addresses in the alerts file", "mail_recipients")
            case smtplib.SMTPSenderRefused() if error.smtp_code == NEEDS_SIGN_IN:
                return self._failed("asks for user and password", "name user in the alerts file", "mail_login")
            case smtplib.SMTPSenderRefused():
                return self._failed("does not take the sender", "look at from in the alerts file", "mail_sender")
            case smtplib.SMTPResponseException():
                return self._failed(f"refuses (SMTP {error.smtp_code})", "look at its log", "channel_refused")
            case ssl.SSLCertVerificationError():
                return self._failed("has a certificate that is not accepted", "look at host and ca_file", "channel_certificate")
            case ssl.SSLError():
                return self._failed("does not speak TLS there", "tls is for port 465, starttls for 587", "mail_insecure")
            case _:
                return self._failed("cannot be connected to, or breaks off", "look at host, port and network", "channel_unreachable")

    def _sign_in(self, server: smtplib.SMTP, tokens: "TokenSource") -> None:
        server.ehlo_or_helo_if_needed()
        if XOAUTH2 not in server.esmtp_features.get("auth", "").upper().split():
            raise self._failed("does not offer sign-in by token", "leave out sign_in, or look at port and security", "mail_insecure")
        try:
            token = tokens.token()
        except ComplianceError:
            raise self._failed("cannot be signed in to: no token is given", "look at sign_in and at its secret", "mail_token") from None
        said = f"user={self._user}\x01auth=Bearer {token}\x01\x01"
        # What the server says to a token that it does not take is answered with nothing, and then it refuses.
        server.auth(XOAUTH2, lambda challenge=None: said if challenge is None else "")

    def _opened(self) -> smtplib.SMTP:
        if self._security is Security.TLS:
            return _LimitedTls(self._host, self._port, timeout=self._timeout_s, context=self._context())
        return _Limited(self._host, self._port, timeout=self._timeout_s)

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._ca_file)

    def _failed(self, what: str, hint: str, code: str) -> ChannelFailed:
        return ChannelFailed(f"the mail server of {self.name} {what}", hint=hint, where=self.name, code=code)


class _Limited(smtplib.SMTP):
    """A session that is broken off after a while. A time-out counts the silence between two bytes: a server
    that says a little now and then, and never all, would hold up every channel for good."""

    def connect(self, *where: Any, **more: Any) -> tuple[int, bytes]:
        self._limit = Timer(OF_A_SESSION * self.timeout, self._break_off)
        self._limit.daemon = True
        self._limit.start()
        try:
            return super().connect(*where, **more)
        except BaseException:
            self._limit.cancel()
            raise

    def close(self) -> None:
        self._limit.cancel()
        super().close()

    def _break_off(self) -> None:
        if self.sock is not None:
            with suppress(OSError):  # it has just been closed
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # whoever reads over TLS finds an end, and no error


class _LimitedTls(_Limited, smtplib.SMTP_SSL):
    """The same over TLS from its first byte."""


def message_of(notice: Notice, written: tuple[str, str], sender: str, to: Sequence[str]) -> EmailMessage:
    """Return the message: as text, and the same as a page. It says that a program has written it, so that no
    absence is announced to it."""
    text, page = written
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.title, sender, ", ".join(to)
    message["Date"] = format_datetime(notice.at)
    message["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"], message["X-Auto-Response-Suppress"] = "auto-generated", "All"
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    message["Content-Language"] = notice.language  # set before, it would go into the first of the parts
    return message
