"""Time stamps of an outside authority over checkpoints (RFC 3161): proof of when, that nobody in the
organisation can give. Needs the extra `timestamp` (rfc3161-client). The authority sees a digest and nothing
else. It is asked once: a checkpoint is as good without, and the next one asks again."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import requests
from cryptography import x509

from connectors.dynamics.http.bodies import BodyBroken, read_body
from connectors.dynamics.http.deadline import DeadlineAdapter
from rules.errors import UsageError
from rules.hints import hint_to

TIMEOUT_S = 20  # without a byte,
ANSWER_S = 60.0  # and for the whole answer: most authorities speak plain http, and anybody on the way could hold a night up
MOST_BYTES = 1 << 20  # of an answer that has some thousand
_CONTENT = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class NoTimestamp(UsageError):
    """The authority did not answer, or not with a time stamp that verifies."""

    code = "timestamp"


def fetch(url: str, message: bytes, ca_file: Path | None) -> str:
    """Ask for a time stamp over the SHA-256 of a message and give the whole answer in base64, verified where
    certificates are given. Raises NoTimestamp: with what went wrong; UsageError: the extra for it is not
    installed."""
    try:
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response
    except ImportError:
        raise _no_client() from None
    request = TimestampRequestBuilder(message, HashAlgorithm.SHA256).build()
    try:
        response = decode_timestamp_response(_answer(url, request.as_bytes()))
        nonce = response.tst_info.nonce
    except (requests.RequestException, BodyBroken, ValueError) as error:
        raise NoTimestamp(f"the authority gave no time stamp ({type(error).__name__})", hint="look at TIMESTAMP_URL") from None
    if nonce != request.nonce:
        raise NoTimestamp("the time stamp answers another question", hint="look at TIMESTAMP_URL")
    token = base64.b64encode(response.as_bytes()).decode()
    if ca_file is not None:
        stamped_at(token, message, ca_file)
    return token


def _answer(url: str, query: bytes) -> bytes:
    with requests.Session() as session:
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter(ANSWER_S))
        with session.post(url, query, headers=_CONTENT, timeout=TIMEOUT_S, stream=True, allow_redirects=False) as answer:
            answer.raise_for_status()
            return read_body(answer, MOST_BYTES)


def stamped_at(token: str, message: bytes, ca_file: Path) -> datetime:
    """Return when the authority stamped the message. Its signature is verified up to a certificate of the
    file. Raises NoTimestamp: it does not verify; UsageError: the file holds no certificate, or the extra for
    stamps is not installed."""
    try:
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
    except ImportError:
        raise _no_client() from None
    try:
        roots = x509.load_pem_x509_certificates(ca_file.read_bytes())
    except (OSError, ValueError):
        raise UsageError("this file holds no certificate", hint="TIMESTAMP_CA names a PEM file", where=str(ca_file)) from None
    try:
        response = decode_timestamp_response(base64.b64decode(token, validate=True))
        VerifierBuilder(roots=roots).build().verify_message(response, message)
    except (VerificationError, ValueError) as error:
        raise NoTimestamp(f"a time stamp does not verify ({type(error).__name__})", hint="look at TIMESTAMP_CA") from None
    return response.tst_info.gen_time.astimezone(UTC)


def _no_client() -> UsageError:
    """Return the error that nobody can look: no stamp is wrong by that, nor a ledger broken."""
    return UsageError("time stamps need the extra `timestamp`", hint=hint_to("install_extra", extra="timestamp"), code=NoTimestamp.code)
