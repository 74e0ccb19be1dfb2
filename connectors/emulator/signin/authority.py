"""The sign-in service, in the forms of Entra ID and of AD FS: who receives a token. Unless configured with
those it knows, it accepts any tenant, any application and any secret: a client performs every step, expiry
included."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.x509 import Certificate, load_pem_x509_certificate

from connectors.emulator.conditions.clock import Clock
from connectors.emulator.signin.assertions import TYPE, AssertionProblem, check_assertion
from connectors.emulator.signin.signer import Signer
from connectors.emulator.signin.tokens import LIFETIME_S, Tokens, unsigned_jwt

ADFS = "adfs"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REFRESH_GRANT = "refresh_token"
CODE_GRANT = "authorization_code"
CODE_LIFETIME_S = 600
DEVICE_LIFETIME_S = 900
DEVICE_INTERVAL_S = 5


class AuthorityProblem(Exception):
    """What the authority is to know makes no sense."""


class TokenRefused(Exception):
    """A refusal in the shape of RFC 6749; Entra ID adds a number of its own, twice."""

    def __init__(self, status: int, error: str, number: int, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.number = status, error, number

    def document(self, tenant: str) -> dict[str, Any]:
        if tenant == ADFS:
            return {"error": self.error, "error_description": str(self)}
        return {"error": self.error, "error_description": f"AADSTS{self.number}: {self}", "error_codes": [self.number]}


@dataclass
class Person:
    """Who types the device codes: the claims of the id_token, or a refusal."""

    claims: dict[str, Any]
    declines: bool = False


@dataclass
class Known:
    """Whom the authority knows; None: everybody."""

    tenants: list[str] | None = None
    applications: dict[str, str | Certificate] | None = None  # client id -> its secret or certificate
    person: Person | None = None  # None: nobody types the codes


@dataclass
class _DeviceCode:
    client: str
    scope: str
    expires_at: float


@dataclass
class _Code:
    """What a person's browser brings back to the application, once."""

    client: str
    redirect: str
    scope: str
    nonce: str
    challenge: str
    claims: dict[str, Any]
    expires_at: float


@dataclass
class _SignedIn:
    """Whom a refresh token stands for."""

    client: str
    claims: dict[str, Any]


@dataclass
class Authority:
    tokens: Tokens
    clock: Clock
    permissions: Callable[[str], Sequence[str]]  # of an application at Graph
    known: Known = field(default_factory=Known)
    signer: Signer = field(default_factory=Signer)
    _devices: dict[str, _DeviceCode] = field(default_factory=dict)
    _codes: dict[str, _Code] = field(default_factory=dict)
    _signed_in: dict[str, _SignedIn] = field(default_factory=dict)

    def clear(self) -> None:
        """Know everybody again."""
        self.known = Known()
        self._devices.clear()
        self._codes.clear()
        self._signed_in.clear()

    def discovery(self, origin: str, tenant: str) -> dict[str, Any]:
        """Return the OpenID configuration of a tenant or AD FS. Raises TokenRefused: an unknown tenant."""
        self._check_tenant(tenant)
        adfs = tenant == ADFS
        base = f"{origin}/{tenant}"
        oauth2 = f"{base}/oauth2" if adfs else f"{base}/oauth2/v2.0"
        return {
            "issuer": issuer_of(origin, tenant),
            "authorization_endpoint": f"{oauth2}/authorize",
            "token_endpoint": f"{oauth2}/token",
            "device_authorization_endpoint": f"{oauth2}/devicecode",
            "jwks_uri": f"{base}/discovery/keys" if adfs else f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "token"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def token(self, body: bytes, origin: str, tenant: str, endpoint: str) -> dict[str, Any]:
        """Answer a token request sent to `endpoint`. Raises TokenRefused: the request is not complete, or
        from somebody who is not known."""
        self._check_tenant(tenant)
        form = _fields(body)
        grant = form.get("grant_type")
        if grant == DEVICE_GRANT:
            return self._token_for_person(form, issuer_of(origin, tenant), tenant)
        if grant == CODE_GRANT:
            return self._token_for_code(form, issuer_of(origin, tenant), tenant, endpoint)
        if grant == REFRESH_GRANT:
            return self._token_again(form, issuer_of(origin, tenant), tenant)
        if grant != "client_credentials":
            raise TokenRefused(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client = _needed(form, "client_id")
        if not (form.get("client_secret") or form.get("client_assertion")):
            raise TokenRefused(401, "invalid_client", 7000218, "The request body must contain 'client_assertion' or 'client_secret'.")
        if not form.get("resource"):
            _needed(form, "scope")
        self._check_application(client, form, endpoint)
        resource = form.get("resource") or form.get("scope", "").removesuffix("/.default")
        token = self.tokens.issue(client, issuer_of(origin, tenant), resource, self.permissions(client))
        answer = {"token_type": "Bearer", "expires_in": LIFETIME_S, "access_token": token}
        return answer if tenant == ADFS else answer | {"ext_expires_in": LIFETIME_S}

    def device_code(self, body: bytes, origin: str, tenant: str) -> dict[str, Any]:
        """Return a code for a person to type elsewhere (RFC 8628). Raises TokenRefused: the request is not
        complete, or from an unknown client."""
        self._check_tenant(tenant)
        form = _fields(body)
        client = _needed(form, "client_id")
        scope = _needed(form, "scope")
        self._check_registered(client)
        code, typed, page = secrets.token_urlsafe(32), secrets.token_hex(4).upper(), f"{origin}/{tenant}/device"
        self._devices[code] = _DeviceCode(client, scope, self.clock.timestamp() + DEVICE_LIFETIME_S)
        return {
            "user_code": typed,
            "device_code": code,
            "verification_uri": page,
            "expires_in": DEVICE_LIFETIME_S,
            "interval": DEVICE_INTERVAL_S,
            "message": f"To sign in, use a web browser to open the page {page} and enter the code {typed} to authenticate.",
        }

    def authorize(self, query: Mapping[str, str], tenant: str) -> str:
        """Return the address to which a person's browser is sent back: with a code, or with an error where
        they decline. Whom the authority knows signs in without a page. Raises TokenRefused: nothing that can
        be sent back to, or nobody who could sign in."""
        self._check_tenant(tenant)
        form = dict(query)
        client, redirect = _needed(form, "client_id"), _needed(form, "redirect_uri")
        self._check_registered(client)
        if form.get("response_type") != "code" or form.get("response_mode", "query") != "query":
            raise TokenRefused(400, "unsupported_response_type", 700054, "response_type 'code' with response_mode 'query' is offered.")
        if form.get("code_challenge") and form.get("code_challenge_method") != "S256":
            raise TokenRefused(400, "invalid_request", 9002314, "The code_challenge_method has to be 'S256'.")
        person = self.known.person
        if person is None:
            raise TokenRefused(400, "login_required", 50058, "Nobody signs in at this authority.")
        if person.declines:
            answer = {"error": "access_denied", "error_description": "AADSTS65004: User declined to consent."}
        else:
            code = secrets.token_urlsafe(32)
            self._codes[code] = _Code(
                client,
                redirect,
                _needed(form, "scope"),
                form.get("nonce", ""),
                form.get("code_challenge", ""),
                person.claims,
                self.clock.timestamp() + CODE_LIFETIME_S,
            )
            answer = {"code": code}
        if "state" in form:
            answer["state"] = form["state"]
        return f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(answer)}"

    # -- who is known ----------------------------------------------------------------------------------------

    def learn(self, document: Any) -> None:
        """Learn `{"tenants": [NAME…], "applications": {ID: {"secret": TEXT} | {"certificate": PEM}},
        "person": {"oid", "roles", …}}`. Each may be null or missing. `{"declines": true}` among the person's
        claims: the code is typed and the sign-in declined. Raises AuthorityProblem: saying what is wrong."""
        if not isinstance(document, dict) or set(document) - {"tenants", "applications", "person"}:
            raise AuthorityProblem("the authority takes tenants, applications and person")
        tenants, applications, person = document.get("tenants"), document.get("applications"), document.get("person")
        if tenants is not None and not (isinstance(tenants, list) and all(isinstance(tenant, str) for tenant in tenants)):
            raise AuthorityProblem("tenants are a list of names")
        if applications is not None and not isinstance(applications, dict):
            raise AuthorityProblem("applications are an object: the client id of each and how it proves who it is")
        if person is not None and not isinstance(person, dict):
            raise AuthorityProblem("person is an object: the claims of the id_token")
        proofs = None if applications is None else {client.lower(): _proof(client, given) for client, given in applications.items()}
        claims = dict(person or {})
        declines = claims.pop("declines", False) is True
        self.known = Known(tenants, proofs, None if person is None else Person(claims, declines))

    def document(self) -> dict[str, Any]:
        """Return what the authority knows; secrets are not repeated."""
        known = self.known
        applications = None if known.applications is None else sorted(known.applications)
        return {"tenants": known.tenants, "applications": applications, "person": known.person.claims if known.person else None}

    def _check_tenant(self, tenant: str) -> None:
        if self.known.tenants is not None and tenant not in self.known.tenants:
            raise TokenRefused(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.")

    def _check_registered(self, client: str) -> None:
        if self.known.applications is not None and client.lower() not in self.known.applications:
            raise TokenRefused(400, "unauthorized_client", 700016, f"Application with identifier '{client}' was not found.")

    def _check_application(self, client: str, form: dict[str, str], endpoint: str) -> None:
        self._check_registered(client)
        if self.known.applications is None:
            return
        proof = self.known.applications[client.lower()]
        if isinstance(proof, str):
            if not secrets.compare_digest(form.get("client_secret", "").encode(), proof.encode()):
                raise TokenRefused(401, "invalid_client", 7000215, "Invalid client secret provided.")
            return
        if form.get("client_assertion_type") != TYPE or not form.get("client_assertion"):
            raise TokenRefused(401, "invalid_client", 7000218, "The request body must contain 'client_assertion' and its type.")
        try:
            check_assertion(form["client_assertion"], proof, client=client, audience=endpoint, now=self.clock.timestamp())
        except AssertionProblem as problem:
            raise TokenRefused(401, "invalid_client", 700027, f"The client assertion is not valid: {problem}.") from problem

    # -- a person --------------------------------------------------------------------------------------------

    def _token_for_person(self, form: dict[str, str], issuer: str, tenant: str) -> dict[str, Any]:
        client = _needed(form, "client_id")
        code = _needed(form, "device_code")
        device, person, now = self._devices.get(code), self.known.person, self.clock.timestamp()
        if device is None or device.client != client:
            raise TokenRefused(400, "bad_verification_code", 70000, "The device code is not known.")
        if now >= device.expires_at:
            raise TokenRefused(400, "expired_token", 70020, "The device code has expired.")
        if person is None:
            raise TokenRefused(400, "authorization_pending", 70016, "The user has not yet entered the code.")
        del self._devices[code]
        if person.declines:
            raise TokenRefused(400, "authorization_declined", 70018, "The user declined the sign-in.")
        return self._answer_for_person(form | {"scope": device.scope}, person.claims, issuer, tenant)

    def _token_for_code(self, form: dict[str, str], issuer: str, tenant: str, endpoint: str) -> dict[str, Any]:
        """Return tokens for the code that a browser brought back, once (RFC 6749, section 4.1; RFC 7636)."""
        client = _needed(form, "client_id")
        self._check_application(client, form, endpoint)
        code = self._codes.pop(_needed(form, "code"), None)
        if code is None or code.client != client or self.clock.timestamp() >= code.expires_at:
            raise TokenRefused(400, "invalid_grant", 70008, "The authorization code is not known, was used, or has expired.")
        if form.get("redirect_uri") != code.redirect:
            raise TokenRefused(400, "invalid_grant", 500112, "The redirect_uri is not the one of the authorization request.")
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if code.challenge and not secrets.compare_digest(verifier, code.challenge):
            raise TokenRefused(400, "invalid_grant", 501481, "The code_verifier does not match the code_challenge.")
        claims = {**({"nonce": code.nonce} if code.nonce else {}), **code.claims}
        return self._answer_for_person(form | {"scope": code.scope}, claims, issuer, tenant)

    def _token_again(self, form: dict[str, str], issuer: str, tenant: str) -> dict[str, Any]:
        """Return tokens for who has signed in before, with the current claims (RFC 6749, section 6)."""
        client = _needed(form, "client_id")
        signed_in, person = self._signed_in.get(_needed(form, "refresh_token")), self.known.person
        if signed_in is None or signed_in.client != client:
            raise TokenRefused(400, "invalid_grant", 70000, "The refresh token is not known.")
        claims = signed_in.claims
        if person is not None and person.claims.get("oid") == claims.get("oid"):
            if person.declines:
                raise TokenRefused(400, "invalid_grant", 50057, "The user account is disabled.")
            claims = person.claims
        return self._answer_for_person(form, claims, issuer, tenant)

    def _answer_for_person(self, form: dict[str, str], person: dict[str, Any], issuer: str, tenant: str) -> dict[str, Any]:
        client, now = form["client_id"], self.clock.timestamp()
        times = {"iat": int(now), "nbf": int(now), "exp": int(now) + LIFETIME_S}
        claims = {"iss": issuer, "aud": client, "tid": tenant, "sub": person.get("oid", ""), **times, **person}
        answer = {
            "token_type": "Bearer",
            "scope": form.get("scope", "openid profile"),
            "expires_in": LIFETIME_S,
            "access_token": self._access_token(form, person, issuer, tenant, times),
            "id_token": self.signer.sign(claims),
        }
        if "offline_access" in form.get("scope", "").split():
            answer["refresh_token"] = again = secrets.token_urlsafe(32)
            self._signed_in[again] = _SignedIn(client, person)
        if form.get("client_info") == "1" and tenant != ADFS:
            info = json.dumps({"uid": person.get("oid", ""), "utid": tenant}).encode()
            answer["client_info"] = base64.urlsafe_b64encode(info).rstrip(b"=").decode()
        return answer

    def _access_token(self, form: dict[str, str], person: dict[str, Any], issuer: str, tenant: str, times: dict[str, int]) -> str:
        """Return a token for the application's own interface where the scope names it; else one for another
        service, which nobody here reads."""
        client = form["client_id"]
        scopes = [
            scope.removeprefix("api://").removeprefix(f"{client}/") for scope in form.get("scope", "").split() if f"{client}/" in scope
        ]
        if not scopes:
            return unsigned_jwt({"iss": issuer, "appid": client, **times})
        own = {"iss": issuer, "aud": client, "tid": tenant, "azp": client, "sub": person.get("oid", ""), "ver": "2.0"}
        said = {name: value for name, value in person.items() if name != "nonce"}  # that is of the sign-in, not of a call
        return self.signer.sign({**own, **times, **said, "scp": " ".join(scopes)})


def issuer_of(origin: str, tenant: str) -> str:
    return f"{origin}/{tenant}" if tenant == ADFS else f"{origin}/{tenant}/v2.0"


def _fields(body: bytes) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _needed(form: dict[str, str], name: str) -> str:
    if value := form.get(name):
        return value
    raise TokenRefused(400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")


def _proof(client: str, given: Any) -> str | Certificate:
    if isinstance(given, dict) and len(given) == 1:
        name, value = next(iter(given.items()))
        if name == "secret" and isinstance(value, str) and value:
            return value
        if name == "certificate" and isinstance(value, str):
            try:
                return load_pem_x509_certificate(value.encode())
            except ValueError as problem:
                raise AuthorityProblem(f"the certificate of {client} cannot be read") from problem
    raise AuthorityProblem(f'{client} takes {{"secret": TEXT}} or {{"certificate": PEM}}')
