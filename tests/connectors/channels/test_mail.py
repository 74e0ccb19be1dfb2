"""Mail over real SMTP: TLS, sign-in, what arrives, and how each failure is told. Everybody is fictitious."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from connectors.channels.channel import ChannelFailed, TakenInPart
from connectors.channels.mail import Mail, Security
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.http.entra import EntraTokens
from connectors.emulator.serving.certificates import ServerCertificate, server_certificate
from crm_compliance.alerts.wording import as_mail
from tests.connectors.channels.postbox import PASSWORD, TOKEN, USER, Postbox, listening
from tests.connectors.channels.receiver import a_notice

TENANT = "https://login.microsoftonline.com/tenant-1"
TO = ("dpo@example.org", "second@example.org")


@pytest.fixture(scope="module")
def certificate() -> ServerCertificate:
    return server_certificate("localhost")


def mail(box: Postbox, security: Security, **changes: Any) -> Mail:
    usual: dict[str, Any] = {"port": box.port, "user": USER, "password": PASSWORD, "ca_file": box.ca_file}
    return Mail("mail", host="127.0.0.1", sender=USER, writes=as_mail, security=security, timeout_s=5.0, **(usual | changes))


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_notice_arrives_as_text_and_as_a_page(certificate: ServerCertificate, tmp_path: Path, security: Security) -> None:
    with listening(certificate, tmp_path, security) as box:
        channel = mail(box, security)
        assert "signed in; nothing was sent" in channel.check()
        assert box.taken == []
        channel.send(a_notice(language="fr", title="crm-compliance : 3 choses vous attendent – à l’heure"), TO)
    ((envelope, message),) = box.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == (USER, list(TO))
    assert message["Subject"] == "crm-compliance : 3 choses vous attendent – à l’heure"
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "fr")
    assert message["Message-ID"] == "<msg-1@example.org>"
    text, page = message.iter_parts()
    for part in (text, page):
        assert "https://compliance.example.org/plans/plan-0123456789ab" in part.get_content()
        assert "EXPIRES_SOON" in part.get_content()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")


def test_a_server_without_starttls_is_given_neither_password_nor_message(certificate: ServerCertificate, tmp_path: Path) -> None:
    with listening(certificate, tmp_path, Security.NONE, signs_in=False) as box:
        assert refusal(mail(box, Security.STARTTLS)) == "mail_insecure"
        assert refusal(mail(box, Security.TLS)) == "mail_insecure"
        assert box.taken == []
        mail(box, Security.NONE, user="").send(a_notice(), TO)  # a relay on this machine
        assert len(box.taken) == 1


@pytest.mark.parametrize(
    ("changes", "to", "code"),
    [
        ({"password": "canary-other"}, TO, "mail_login"),
        ({"ca_file": None}, TO, "channel_certificate"),
        ({"user": ""}, TO, "mail_login"),
        ({}, ("nobody@example.org",), "mail_recipients"),
        ({}, ("nobody@example.org", "dpo@example.org"), "mail_recipients"),
    ],
)
def test_each_failure_has_its_code_and_no_secret(
    certificate: ServerCertificate, tmp_path: Path, changes: dict[str, Any], to: tuple[str, ...], code: str
) -> None:
    with listening(certificate, tmp_path, Security.STARTTLS) as box:
        assert refusal(mail(box, Security.STARTTLS, **changes), to) == code


@pytest.mark.parametrize("greeting", [b"220 ready\r\n", b""])
def test_a_server_that_says_a_little_now_and_then_and_never_all_holds_up_nobody(greeting: bytes) -> None:
    """As one that is slow on purpose, against senders of spam: each look tells by one channel after the
    other."""
    with dripping(greeting) as port:
        channel = Mail("mail", host="127.0.0.1", port=port, security=Security.NONE, sender=USER, writes=as_mail, timeout_s=0.1)
        assert refusal(channel) == "channel_unreachable"


@contextmanager
def dripping(greeting: bytes) -> Iterator[int]:
    """A server that says its greeting, and then that there is more to come, for as long as it lasts."""
    ended = Event()

    def serve(listener: socket.socket) -> None:
        line = listener.accept()[0]
        with line, suppress(OSError):
            line.sendall(greeting)
            while not ended.wait(0.02):
                line.sendall(b"250-wait\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        at_work = Thread(target=serve, args=(listener,), daemon=True)
        at_work.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            at_work.join()


@pytest.mark.parametrize(("other", "is_for_good"), [("nobody@example.org", True), ("later@example.org", False)])
def test_what_some_have_is_sent_again_where_the_others_may_get_it_yet(
    certificate: ServerCertificate, tmp_path: Path, other: str, *, is_for_good: bool
) -> None:
    with listening(certificate, tmp_path, Security.STARTTLS) as box, pytest.raises(ChannelFailed) as caught:
        mail(box, Security.STARTTLS).send(a_notice(), ("dpo@example.org", other))
    assert isinstance(caught.value, TakenInPart) is is_for_good


def test_what_was_taken_stays_taken_whatever_a_goodbye_is_answered_with(certificate: ServerCertificate, tmp_path: Path) -> None:
    with listening(certificate, tmp_path, Security.STARTTLS) as box:
        box.goodbye = "421 4.3.2 going down"
        mail(box, Security.STARTTLS).send(a_notice(), TO)
    assert len(box.taken) == 1


@pytest.mark.parametrize("given", [TOKEN, "another-canary", ""])
def test_a_mailbox_of_microsoft_365_signs_in_by_token(certificate: ServerCertificate, tmp_path: Path, given: str) -> None:
    """Client credentials for the scope of Exchange Online, then SASL XOAUTH2, byte by byte."""
    answer = {"token_type": "Bearer", "expires_in": 3599, "access_token": given} if given else {"error": "invalid_client"}
    endpoints = {"issuer": TENANT, "authorization_endpoint": f"{TENANT}/authorize", "token_endpoint": f"{TENANT}/token"}
    scope = "https://outlook.office365.com/.default"
    tokens = EntraTokens(
        client_id="app-1", tenant_id="tenant-1", organisation_url="", secret="zeer-geheim", scope=scope, sleep=lambda _: None
    )
    with listening(certificate, tmp_path, Security.STARTTLS) as box, responses.RequestsMock() as authority:
        authority.get(f"{TENANT}/v2.0/.well-known/openid-configuration", json=endpoints)
        asked = authority.post(f"{TENANT}/token", json=answer, status=200 if given else 401)
        channel = mail(box, Security.STARTTLS, password="", tokens=tokens)
        if given == TOKEN:
            assert "signed in; nothing was sent" in channel.check()
            channel.send(a_notice(), TO)
            assert len(box.taken) == 1
        else:
            assert refusal(channel) == "mail_token"
            assert box.taken == []
        form = parse_qs(str(asked.calls[0].request.body))
    assert (form["grant_type"], form["scope"]) == (["client_credentials"], ["https://outlook.office365.com/.default"])
    sent = f"user={USER}\x01auth=Bearer {given}\x01\x01".encode()
    assert box.said == {TOKEN: [sent, sent], "": []}.get(given, [sent, b""]), (
        "what the server says to a wrong token is answered with nothing"
    )


def test_a_server_that_takes_no_token_is_given_none(certificate: ServerCertificate, tmp_path: Path) -> None:
    with listening(certificate, tmp_path, Security.NONE, signs_in=False) as box:
        assert refusal(mail(box, Security.NONE, password="", tokens=StaticToken(TOKEN, "http://127.0.0.1"))) == "mail_insecure"
    assert box.said == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path, certificate: ServerCertificate) -> None:
    with listening(certificate, tmp_path, Security.STARTTLS) as box:
        pass
    assert refusal(mail(box, Security.STARTTLS)) == "channel_unreachable"


def refusal(channel: Mail, to: tuple[str, ...] = TO) -> str:
    """The code by which a channel does not take a notice."""
    with pytest.raises(ChannelFailed) as caught:
        channel.send(a_notice(), to)
    told = f"{caught.value} {caught.value.hint} {caught.value.where}"
    assert "canary" not in told
    assert "@" not in told
    return caught.value.code
