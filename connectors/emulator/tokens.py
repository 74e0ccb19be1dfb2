"""Bearer tokens: what the token endpoint gives out, and who a token says its bearer is.

No secret is checked and no signature made: the emulator plays the authority so that a client can go through the motions, expiry included.
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from connectors.emulator.clock import Clock
from connectors.emulator.errors import WebApiError
from connectors.emulator.schema.environment import DEFAULT_USER, NAMESPACE, ROOT_UNIT
from connectors.emulator.storage.tables import Tables

LIFETIME_S = 3599


@dataclass
class _Issued:
    user: str
    expires_at: float


class TokenRefused(Exception):
    """The token endpoint's refusal, in the shape of RFC 6749."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.document = {"error": error, "error_description": description}


class Tokens:
    def __init__(self, tables: Tables, clock: Clock, fixed: str | None) -> None:
        self.tables = tables
        self.clock = clock
        self.fixed = fixed
        self._issued: dict[str, _Issued] = {}

    def clear(self) -> None:
        self._issued.clear()

    def issue(self, form: bytes, issuer: str) -> dict[str, str | int]:
        """Answer a token request.

        Raises:
            TokenRefused: for another grant than client credentials, or without an id and something to prove it.
        """
        fields = {name: values[-1] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}
        if fields.get("grant_type") != "client_credentials":
            raise TokenRefused(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
        client = fields.get("client_id", "")
        if not client:
            raise TokenRefused(400, "invalid_request", "AADSTS900144: The request body must contain the following parameter: 'client_id'.")
        if not (fields.get("client_secret") or fields.get("client_assertion")):
            raise TokenRefused(401, "invalid_client", "AADSTS7000218: The request body must contain 'client_assertion' or 'client_secret'.")
        if not (fields.get("scope") or fields.get("resource")):
            raise TokenRefused(400, "invalid_request", "AADSTS900144: The request body must contain the following parameter: 'scope'.")
        now = self.clock.timestamp()
        user = self._user(client)
        claims = {"iss": issuer, "appid": client, "oid": user, "iat": int(now), "exp": int(now) + LIFETIME_S, "jti": secrets.token_hex(8)}
        token = ".".join([_part({"alg": "none", "typ": "JWT"}), _part(claims), secrets.token_urlsafe(32)])
        self._issued[token] = _Issued(user, now + LIFETIME_S)
        return {"token_type": "Bearer", "expires_in": LIFETIME_S, "ext_expires_in": LIFETIME_S, "access_token": token}

    def _user(self, client: str) -> str:
        """Each application is a user of its own, with a row among the others."""
        user = str(uuid.uuid5(NAMESPACE, "application." + client.lower()))
        table = self.tables.environment.tables["systemuser"]
        with self.tables.lock:
            if not self.tables.exists(table, user):
                row = {"systemuserid": user, "lastname": "Toepassing", "businessunitid": ROOT_UNIT}
                application = client.lower() if _is_guid(client) else None
                self.tables.load([("systemuser", {**row, "applicationid": application})])
        return user

    def user_of(self, authorization: str | None, root: str) -> str:
        """The systemuserid behind an Authorization header.

        Raises:
            WebApiError: 401 without a bearer token, with an expired one, or with another than the fixed one.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unauthorised(root, "", "HTTP Error 401 - Unauthorized: Access is denied")
        issued = self._issued.get(token)
        if issued is not None:
            if self.clock.timestamp() >= issued.expires_at:
                raise unauthorised(root, "0x8005F101", "The access token has expired.")
            return issued.user
        if self.fixed is not None and not secrets.compare_digest(token.encode(), self.fixed.encode()):
            raise unauthorised(root, "", "HTTP Error 401 - Unauthorized: Access is denied")
        return DEFAULT_USER

    def revoke(self, authorization: str | None) -> None:
        """A token of our own is never good again; a fixed one cannot be renewed, so it is refused this once."""
        issued = self._issued.get((authorization or "").partition(" ")[2].strip())
        if issued is not None:
            issued.expires_at = 0.0


def unauthorised(root: str, code: str, message: str) -> WebApiError:
    origin = root.split("/api/", 1)[0]
    challenge = f"Bearer authorization_uri={origin}/common/oauth2/authorize, resource_id={origin}/"
    return WebApiError(401, code, message, {"WWW-Authenticate": challenge})


def discovery(origin: str, tenant: str) -> dict[str, object]:
    """The OpenID configuration of a tenant, or of AD FS."""
    adfs = tenant == "adfs"
    base = f"{origin}/{tenant}"
    return {
        "issuer": f"{base}" if adfs else f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/authorize" if adfs else f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/token" if adfs else f"{base}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/oauth2/devicecode" if adfs else f"{base}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/discovery/keys" if adfs else f"{base}/discovery/v2.0/keys",
        "response_types_supported": ["code", "token"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _part(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return len(text) == 36
