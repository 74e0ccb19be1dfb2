"""A client assertion: the signed statement with which an application proves who it is without sending a
secret (RFC 7523)."""

from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate
from jwt.types import Options
from jwt.utils import base64url_encode

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS: Final = ("RS256", "PS256")
_UNCHECKED: Final[Options] = {
    "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False, "verify_iss": False, "verify_sub": False,
    "verify_jti": False,
}  # fmt: skip


class AssertionProblem(Exception):
    """Why an assertion proves nothing."""


def check_assertion(assertion: str, certificate: Certificate, *, client: str, audience: str, now: float) -> None:
    """Check that it is signed with the key of the certificate, by this client about itself, for this token
    endpoint, and not yet expired. Raises AssertionProblem: saying which of these does not hold. Source:
    Microsoft Learn, "Microsoft identity platform application authentication certificate credentials"."""
    claims = _claims(assertion, certificate)
    if (claims.get("iss"), claims.get("sub")) != (client, client):
        raise AssertionProblem("issuer and subject are not the client")
    if claims.get("aud") != audience:
        raise AssertionProblem("its audience is not this token endpoint")
    expires_at = claims.get("exp")
    if not isinstance(expires_at, int | float) or expires_at <= now:  # by the emulator's clock, which the library does not know
        raise AssertionProblem("it has expired")


def _claims(assertion: str, certificate: Certificate) -> dict[str, Any]:
    """Return the claims of the assertion, signed with the key of the certificate."""
    try:
        header = jwt.get_unverified_header(assertion)
        if not any(_names(header.get(name), certificate.fingerprint(digest)) for name, digest in (("x5t#S256", SHA256()), ("x5t", SHA1()))):
            raise AssertionProblem("its header names another certificate")
        key: Any = certificate.public_key()
        return jwt.decode(assertion, key, list(_ALGORITHMS), options=_UNCHECKED)
    except (jwt.InvalidAlgorithmError, jwt.InvalidKeyError, TypeError):
        raise AssertionProblem("its signature is neither RS256 nor PS256") from None
    except jwt.InvalidSignatureError:
        raise AssertionProblem("its signature does not fit the certificate") from None
    except jwt.PyJWTError:
        raise AssertionProblem("it is not a signed JWT") from None


def _names(thumbprint: object, fingerprint: bytes) -> bool:
    return isinstance(thumbprint, str) and thumbprint.rstrip("=") == base64url_encode(fingerprint).decode()
