"""The key of the sign-in service: tokens about people are signed, so that who takes one can check it."""

from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEY_ID = "emulator-1"


class Signer:
    """One RSA key for as long as the process lives, made when it is first needed."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a JWT signed with RS256."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    def keys(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]}
