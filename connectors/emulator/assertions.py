"""A client assertion: the signed statement with which an application proves who it is without sending a secret (RFC 7523)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class AssertionProblem(Exception):
    """Why an assertion proves nothing."""


def check_assertion(assertion: str, certificate: Certificate, *, client: str, audience: str, now: float) -> None:
    """Signed with the key of the certificate, by this client about itself, for this token endpoint, and not yet expired.

    Raises:
        AssertionProblem: saying which of these does not hold.

    Source: Microsoft Learn, "Microsoft identity platform application authentication certificate credentials".
    """
    pieces = assertion.split(".")
    if len(pieces) != 3:
        raise AssertionProblem("it is no signed JWT")
    header, claims = _document(pieces[0]), _document(pieces[1])
    thumbprints = ((header.get("x5t#S256"), SHA256()), (header.get("x5t"), SHA1()))
    if not any(_names(given, certificate.fingerprint(digest)) for given, digest in thumbprints):
        raise AssertionProblem("its header names another certificate")
    paddings: dict[object, padding.AsymmetricPadding] = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH),
    }
    key, scheme = certificate.public_key(), paddings.get(header.get("alg"))
    if scheme is None or not isinstance(key, rsa.RSAPublicKey):
        raise AssertionProblem("its signature is neither RS256 nor PS256")
    try:
        key.verify(_bytes(pieces[2]), f"{pieces[0]}.{pieces[1]}".encode(), scheme, SHA256())
    except InvalidSignature:
        raise AssertionProblem("its signature does not fit the certificate") from None
    if (claims.get("iss"), claims.get("sub")) != (client, client):
        raise AssertionProblem("issuer and subject are not the client")
    if claims.get("aud") != audience:
        raise AssertionProblem("its audience is not this token endpoint")
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int | float) or expires_at <= now:
        raise AssertionProblem("it has expired")


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise AssertionProblem("it is no signed JWT") from None


def _document(part: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(_bytes(part))
    except msgspec.DecodeError:
        raise AssertionProblem("it is no signed JWT") from None
    if not isinstance(document, dict):
        raise AssertionProblem("it is no signed JWT")
    return document


def _names(thumbprint: object, fingerprint: bytes) -> bool:
    return isinstance(thumbprint, str) and _bytes(thumbprint) == fingerprint
