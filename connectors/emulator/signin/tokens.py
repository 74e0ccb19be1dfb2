"""Bearer tokens: who each says its bearer is, and until when. `authority.py` decides who is given one."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.errors import WebApiError
from connectors.emulator.schema.environment import DEFAULT_USER, NAMESPACE, ROOT_UNIT
from connectors.emulator.schema.privileges import SYSTEM_ADMINISTRATOR
from connectors.emulator.storage.load import load_rows
from connectors.emulator.storage.tables import Tables

LIFETIME_S = 3599
GRAPH = "https://graph."  # how the resource of Microsoft Graph begins, in every cloud


@dataclass
class _Issued:
    client: str
    expires_at: float
    resource: str


class Tokens:
    def __init__(self, tables: Tables, clock: Clock, fixed: str | None) -> None:
        self.tables, self.clock, self.fixed = tables, clock, fixed
        self._issued: dict[str, _Issued] = {}

    def issue(self, client: str, issuer: str, resource: str = "", roles: Sequence[str] = ()) -> str:
        """Return a new token for an application; one for Graph has its audience and permissions in it, and is
        good there alone."""
        now = self.clock.timestamp()
        is_graph = resource.startswith(GRAPH)
        user = client if is_graph else self.user_of_application(client)
        claims = {"iss": issuer, "appid": client, "oid": user, "iat": int(now), "exp": int(now) + LIFETIME_S, "jti": secrets.token_hex(8)}
        token = unsigned_jwt({**claims, "aud": resource, "roles": list(roles)} if is_graph else claims)
        self._issued[token] = _Issued(client, now + LIFETIME_S, resource if is_graph else "")
        return token

    def application_at_graph(self, authorization: str | None) -> str | None:
        """Return the application behind a header of a request to Graph; empty for the fixed token, None where
        it is not a token for Graph."""
        token = _bearer(authorization)
        if not token:
            return None
        issued = self._issued.get(token)
        if issued is not None:
            return issued.client if issued.resource and self.clock.timestamp() < issued.expires_at else None
        return "" if self._is_fixed(token) else None

    def _is_fixed(self, token: str) -> bool:
        """Return whether a token that was not issued here is good; where none is fixed, any is."""
        return self.fixed is None or secrets.compare_digest(token.encode(), self.fixed.encode())

    def user_of_application(self, client: str) -> str:
        """Return an application's own user, with a row among the others. A new one is a System
        Administrator."""
        user = str(uuid.uuid5(NAMESPACE, "application." + client.lower()))
        table = self.tables.environment.tables["systemuser"]
        with self.tables.lock:
            if not self.tables.exists(table, user):
                row = {"systemuserid": user, "azureactivedirectoryobjectid": user, "lastname": "Toepassing", "businessunitid": ROOT_UNIT}
                application = client.lower() if _is_guid(client) else None
                roles = {"systemuserid": user, "roleid": SYSTEM_ADMINISTRATOR}
                load_rows(self.tables, [("systemuser", {**row, "applicationid": application}), ("systemuserroles", roles)])
        return user

    def user_of(self, authorization: str | None, root: str) -> str:
        """Return the systemuserid behind an Authorization header. Raises WebApiError: 401 without a bearer
        token, with an expired one, or with another than the fixed one."""
        token = _bearer(authorization)
        issued = self._issued.get(token)
        if issued is not None and not issued.resource:
            if self.clock.timestamp() >= issued.expires_at:
                raise self.expired(root)
            return self.user_of_application(issued.client)
        if not token or issued is not None or not self._is_fixed(token):
            raise self.refusal(root, "", "HTTP Error 401 - Unauthorized: Access is denied")
        return DEFAULT_USER

    def refusal(self, root: str, code: str, message: str) -> WebApiError:
        return unauthorised(root, code, message, adfs=self.tables.switches.adfs)

    def expired(self, root: str) -> WebApiError:
        return self.refusal(root, "0x8005F101", "The access token has expired.")

    def revoke(self, authorization: str | None) -> None:
        """Revoke a token. One of our own is never valid again; a fixed one cannot be renewed, so it is
        refused this once."""
        issued = self._issued.get((authorization or "").partition(" ")[2].strip())
        if issued is not None:
            issued.expires_at = 0.0


def unauthorised(root: str, code: str, message: str, *, adfs: bool) -> WebApiError:
    """Return 401 with the address of the sign-in service: on-premises AD FS, for the whole host."""
    organisation = root.split("/api/", 1)[0]
    scheme, _, rest = organisation.partition("://")
    authorisation = f"{scheme}://{rest.partition('/')[0]}/adfs" if adfs else f"{organisation}/common"
    challenge = f"Bearer authorization_uri={authorisation}/oauth2/authorize, resource_id={organisation}/"
    return WebApiError(401, code, message, {"WWW-Authenticate": challenge})


def unsigned_jwt(claims: dict[str, Any]) -> str:
    """Return a JWT with a random last part instead of a signature, since no key of ours could be trusted."""
    return jwt.encode(claims, "", algorithm="none") + secrets.token_urlsafe(32)


def _bearer(authorization: str | None) -> str:
    """Return the token of an Authorization header, empty where it has none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return len(text) == 36
