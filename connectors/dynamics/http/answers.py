"""The outcome of one request: an answer, or none, and whether the request can have had an effect then."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec
import requests
import urllib3

from connectors.interface.errors import ConnectorError, ReadIncomplete, Unreachable

# What is raised where the JSON of an answer, or what is taken out of it, is not what it should be.
UNREADABLE: Final = (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
_WANTS_SIGN_IN: Final = "Tunnel connection failed: 407"  # of http.client


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the body is whole, decompressed and unread."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)  # it may hold what people wrote
    request_id: str

    @contextmanager
    def readable(self, otherwise: str, *, where: str, hint: str = "") -> Iterator[None]:
        """Read the answer within: raise ReadIncomplete where it cannot be, which says nothing of it."""
        try:
            yield
        except UNREADABLE:
            raise ReadIncomplete(otherwise, where=where, hint=hint, request_id=self.request_id) from None


class NotSent(Unreachable):
    """No connection was made, so the request cannot have had an effect."""


class NotDue(ConnectorError):
    """It had to wait, and shall not be sent any more."""


class CertificateRefused(NotSent):
    """We do not trust the other side; asking again does not help."""


def lost(failure: requests.RequestException, ours: str, where: str) -> ConnectorError:
    """Return the error for a request without an answer. requests puts addresses into its messages, and a
    filter may name ids: own words only."""
    if isinstance(failure, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(failure):
        return CertificateRefused("The CRM's certificate is not accepted.", hint="Check the CA file and the host name.", where=where)
    if isinstance(failure, requests.exceptions.ProxyError):
        if _WANTS_SIGN_IN in str(failure):
            hint = "Give HTTPS_PROXY its user and password, or NO_PROXY this host."
            return NotSent("A proxy asks for a sign-in (HTTP 407).", hint=hint, where=where, request_id=ours)
        return NotSent("The proxy refuses or does not answer.", hint="Check the proxy settings.", where=where, request_id=ours)
    if isinstance(failure, requests.exceptions.InvalidURL):
        return NotSent("An address has a host name that is none.", hint="Check address and proxy settings.", where=where, request_id=ours)
    if isinstance(failure, requests.ConnectTimeout):
        return NotSent("The CRM cannot be connected to in time.", hint="Check network and address.", where=where, request_id=ours)
    if isinstance(failure, requests.Timeout):
        return Unreachable("The CRM did not answer in time.", hint="Try again later.", where=where, request_id=ours)
    reason = getattr(failure.args[0], "reason", None) if failure.args else None
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        if isinstance(reason.__cause__, OSError) and reason.__cause__.errno in (errno.EMFILE, errno.ENFILE):
            told = "This machine or process has as many files open as it may have."
            return NotSent(told, hint="Allow more open files (`ulimit -n`), or find who holds them.", where=where, request_id=ours)
        return NotSent("The CRM cannot be connected to.", hint="Check network and address.", where=where, request_id=ours)
    if isinstance(failure, requests.ConnectionError):
        return Unreachable("The connection to the CRM broke off.", hint="Try again later.", where=where, request_id=ours)
    return Unreachable(f"The CRM cannot be asked ({type(failure).__name__}).", where=where, request_id=ours)
