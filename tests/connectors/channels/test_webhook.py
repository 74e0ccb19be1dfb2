"""Webhooks and pings over real HTTP: what is sent, signed how, sent again after what, and told how it
failed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.channels.channel import ChannelFailed
from connectors.channels.ping import Ping
from connectors.channels.post import TRIES, Post
from connectors.channels.webhook import Form, Webhook
from connectors.emulator.serving.certificates import server_certificate
from tests.connectors.channels.receiver import AT, Receiver, a_notice, receiving

KEY = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
SECRET = "/workflows/1?sig=hunter2-canary"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def hook(receiver: Receiver, form: Form = Form.JSON, key: str = "", path: str = SECRET) -> Webhook:
    return Webhook("hook", Post("hook", receiver.url + path, sleep=lambda _: None), form, key, lambda: AT)


def test_a_message_carries_codes_and_counts_and_its_address_as_it_was_given(receiver: Receiver) -> None:
    hook(receiver).send(a_notice())
    (sent,) = receiver.sent
    assert sent.path == SECRET  # a signature in the query survives
    assert not [name for name in sent.headers if name.startswith("odata") or name in ("authorization", "cookie")]
    found = json.loads(sent.body)
    (alert,) = found["alerts"]
    assert (found["id"], found["type"], alert["event"], alert["stage"], alert["count"]) == ("msg-1", "alerts", "plan_to_approve", "soon", 3)
    assert alert["href"] == "https://compliance.example.org/plans/plan-0123456789ab"


@pytest.mark.parametrize("key", [KEY, "a plain key of many characters"])
def test_whoever_holds_the_key_can_tell_that_it_came_from_here(receiver: Receiver, key: str) -> None:
    """As Standard Webhooks has it: HMAC-SHA256 over id, seconds and body."""
    hook(receiver, key=key).send(a_notice())
    (sent,) = receiver.sent
    raw = base64.b64decode(key.removeprefix("whsec_")) if key == KEY else key.encode()
    content = b".".join([sent.headers["webhook-id"].encode(), sent.headers["webhook-timestamp"].encode(), sent.body])
    expected = base64.b64encode(hmac.new(raw, content, hashlib.sha256).digest()).decode()
    assert sent.headers["webhook-signature"] == f"v1,{expected}"
    assert sent.headers["webhook-timestamp"] == str(int(AT.timestamp()))


def test_teams_gets_an_adaptive_card_in_the_message_that_its_workflow_posts(receiver: Receiver) -> None:
    hook(receiver, Form.TEAMS).send(a_notice())
    message = json.loads(receiver.sent[0].body)
    (attachment,) = message["attachments"]
    card = attachment["content"]
    assert (message["type"], attachment["contentType"], card["type"]) == (
        "message",
        "application/vnd.microsoft.card.adaptive",
        "AdaptiveCard",
    )
    assert "https://compliance.example.org/plans/plan-0123456789ab" in card["body"][2]["text"]
    assert card["body"][2]["color"] == "warning"
    assert card["actions"][0]["url"] == "https://compliance.example.org/"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_refusal_is_asked_again_with_the_same_id(receiver: Receiver, status: int) -> None:
    receiver.answers = [status, 200]
    hook(receiver, key=KEY).send(a_notice())
    assert len(receiver.sent) == 2
    assert len({sent.headers["webhook-id"] for sent in receiver.sent}) == 1


@pytest.mark.parametrize(
    ("answers", "tries", "hint"),
    [
        ([400], 1, "look at its address and its key"),
        ([302], 1, "look at its address and its key"),
        ([500], 1, "try again later"),
        ([503] * 9, TRIES + 1, "try again later"),
    ],
)
def test_what_is_refused_is_told_without_the_address(receiver: Receiver, answers: list[int], tries: int, hint: str) -> None:
    receiver.answers = answers
    with pytest.raises(ChannelFailed) as caught:
        hook(receiver).send(a_notice())
    assert (caught.value.code, caught.value.where, len(receiver.sent)) == ("channel_refused", "hook", tries)
    assert hint in caught.value.hint
    assert "canary" not in f"{caught.value} {caught.value.hint} {caught.value.where}"
    assert caught.value.__cause__ is None


def test_nobody_there_is_told_by_sending_and_by_looking() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = Receiver(f"http://127.0.0.1:{closed.getsockname()[1]}")
    for act in (lambda: hook(gone).send(a_notice()), lambda: hook(gone).check()):
        with pytest.raises(ChannelFailed) as caught:
            act()
        assert caught.value.code == "channel_unreachable"


def test_a_look_sends_nothing(receiver: Receiver) -> None:
    assert "nothing was sent" in hook(receiver).check()
    assert "nothing was sent" in Ping("switch", Post("switch", receiver.url), success="").check()
    assert receiver.sent == []


def test_a_certificate_that_nobody_vouches_for_is_not_believed(tmp_path: Path) -> None:
    made = server_certificate("localhost")
    authority = tmp_path / "ca.pem"
    authority.write_bytes(made.authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with made.files() as (certificate, key), socket.create_server(("127.0.0.1", 0)) as listener:
        context.load_cert_chain(certificate, key)
        import threading

        def accept() -> None:
            for _ in range(2):
                line, _ = listener.accept()
                try:
                    context.wrap_socket(line, server_side=True).close()
                except (ssl.SSLError, OSError):
                    line.close()

        threading.Thread(target=accept, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(ChannelFailed) as caught:
            Post("hook", url).reach()
        assert caught.value.code == "channel_certificate"
        assert "over TLS" in Post("hook", url, ca_file=str(authority)).reach()


def test_a_switch_hears_the_beginning_and_the_end(receiver: Receiver) -> None:
    ping = Ping("switch", Post("switch", f"{receiver.url}/ping/uuid"), success="")
    ping.begun()
    ping.ended(is_good=True)
    ping.ended(is_good=False)
    assert [(sent.path, sent.body) for sent in receiver.sent] == [("/ping/uuid/start", b""), ("/ping/uuid", b""), ("/ping/uuid/fail", b"")]
