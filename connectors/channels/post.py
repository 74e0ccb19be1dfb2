"""One request to one address of a channel: retried by the rule for all outgoing requests
(connectors/dynamics/http/retry.py), and told in words that hold neither the address nor what was answered."""

import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy

from connectors.channels.channel import ChannelFailed
from connectors.dynamics.http.answers import Answer, CertificateRefused, NotSent, lost
from connectors.dynamics.http.bodies import BodyBroken, read_body
from connectors.dynamics.http.environment import Environment
from connectors.dynamics.http.retry import Again, Retry
from connectors.dynamics.http.sessions import Sessions
from connectors.dynamics.pace.gate import Timeline
from connectors.interface.errors import ConnectorError

TIMEOUT_S: Final = 20.0
ANSWER_S: Final = 30.0
TRIES: Final = 3
MAX_WAIT_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 64 * 1024
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500  # and above
AGAIN: Final = Again(unsent=True, throttled=True, passing=True, lost=True)  # a receiver recognises a repetition by its id
_OF_DATAVERSE: Final = ("OData-Version", "OData-MaxVersion", "If-None-Match")


class Post:
    """An address, with what is needed to send something there. It may hold a secret, so it is in no message
    and no repr."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        ca_file: str | None = None,
        user_agent: str = "crm-compliance",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        self._name, self._url = name, url
        self._environment = Environment(
            url=f"{parts.scheme}://{parts.netloc}/",
            connect_timeout_s=TIMEOUT_S,
            read_timeout_s=TIMEOUT_S,
            answer_s=ANSWER_S,
            max_answer_bytes=MAX_ANSWER_BYTES,
            retries=TRIES,
            max_wait_s=MAX_WAIT_S,
            pool_size=1,
            ca_file=ca_file,
            user_agent=user_agent,
            any_odata=True,
        )
        self._retry = Retry(self._environment, Timeline(sleep), random.random, _uncounted)

    def send(self, body: bytes | None, headers: Mapping[str, str], *, suffix: str = "") -> None:
        """POST to the address, `suffix` behind its path, until it is taken with a status of 2xx. Raises
        ChannelFailed."""
        parts = urlsplit(self._url)
        url = parts._replace(path=parts.path.rstrip("/") + suffix).geturl() if suffix else self._url
        sessions = Sessions(self._environment)
        try:
            answer = self._retry.until_answered(lambda: self._attempt(sessions, url, headers, body), AGAIN)
        except ConnectorError as error:
            raise self._failed(error) from None
        finally:
            sessions.close()
        if not 200 <= answer.status < 300:
            is_passing = answer.status == TOO_MANY or answer.status >= SERVER_ERROR
            raise ChannelFailed(
                f"the channel {self._name} refuses (HTTP {answer.status})",
                hint="the other side is busy or in error: try again later" if is_passing else "look at its address and its key",
                where=self._name,
                code="channel_refused",
            )

    def reach(self) -> str:
        """Open a connection, trust the other side's certificate, and close it again; nothing is asked. Raises
        ChannelFailed."""
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if not self._environment.is_loopback and select_proxy(self._url, requests.utils.get_environ_proxies(self._url)):
            return "not looked at: a proxy stands before it"
        try:
            with socket.create_connection((host, port), timeout=TIMEOUT_S) as line:
                if parts.scheme == "https":
                    with ssl.create_default_context(cafile=self._environment.ca_file).wrap_socket(line, server_hostname=host):
                        return "reached over TLS; nothing was sent"
        except ssl.SSLCertVerificationError:
            raise self._failed(CertificateRefused("")) from None
        except (OSError, UnicodeError):  # a host name can be none
            raise self._failed(NotSent("")) from None
        return "reached; nothing was sent"

    def _attempt(self, sessions: Sessions, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        prepared = sessions.prepare("POST", url, headers, body or b"", "")
        for name in _OF_DATAVERSE:
            prepared.headers.pop(name, None)
        try:
            response = sessions.send(prepared)
        except requests.RequestException as failure:
            raise lost(failure, "", self._name) from None
        with response:
            try:
                content = read_body(response, MAX_ANSWER_BYTES)
            except BodyBroken:
                content = b""  # only the status matters
            return Answer(response.status_code, response.headers, content, "")

    def _failed(self, error: ConnectorError) -> ChannelFailed:
        if isinstance(error, CertificateRefused):
            what, hint, code = "has a certificate that is not accepted", "look at its host name and ca_file", "channel_certificate"
        elif isinstance(error, NotSent):
            what, hint, code = "cannot be connected to", "look at its address, the network and the proxy", "channel_unreachable"
        else:
            what, hint, code = "does not answer", "try again later", "channel_silent"
        return ChannelFailed(f"the channel {self._name} {what}", hint=hint, where=self._name, code=code)


def _uncounted(*, retries: int = 0, waited_s: float = 0.0) -> None:
    """Count nothing: these are not requests to the CRM."""
