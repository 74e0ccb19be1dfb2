"""Bearer tokens of Entra ID or AD FS, by MSAL: for a real CRM, for Graph, for mail. A token or a secret never
stands in a repr, a log or an exception."""

import json
import random
import re
import threading
import time
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msal
import requests
import tenacity

from connectors.dynamics.http.answers import NotSent, lost
from connectors.dynamics.http.auth import is_token
from connectors.dynamics.http.bodies import BodyBroken, read_body
from connectors.dynamics.http.deadline import DeadlineAdapter
from connectors.dynamics.http.environment import check_ca_file
from connectors.interface.errors import ConnectorError, Unauthorised, Unreachable
from rules.errors import UsageError
from rules.model.crm_addresses import entra_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

RENEW_BEFORE_S = 300.0  # a long request must not start with a token that lapses on its way
CONNECT_S = 10.0
TIMEOUT_S = 30.0
RENEW_AGAIN_S = 30.0  # after a try that came to nothing while the old token is still good
ANSWER_S = 60.0  # the longest time for an answer of the sign-in service,
ENOUGH_S = 20.0  # no further try after so long: who waits has a patience of its own
MOST_BYTES = 4 << 20  # and its largest size: the keys that it publishes are some ten thousand
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----.+?-----END (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----", re.DOTALL
)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_ERROR_NAME = re.compile(r"[a-z_]{1,60}")
_PASSING: Final = frozenset({"temporarily_unavailable", "server_error"})  # errors that say nothing about the application (RFC 6749)
_AWAY: Final = frozenset({429, 500, 502, 503, 504})  # statuses that do not either


class TemporarilyUnavailable(requests.RequestException):
    """The sign-in service answers at each try that it cannot answer now."""


class NotItsAnswer(requests.RequestException):
    """What came is no JSON, in which the service grants and refuses, and so the word of something between."""


class EntraTokens:
    """Client-credentials tokens from Entra ID or AD FS (Microsoft Learn, "Use single-tenant server-to-server
    authentication"). Give a secret, or the path of a certificate with its key (PEM, or PFX/P12 by its
    suffix). Nothing is sent before the first `token()`."""

    def __init__(
        self,
        *,
        client_id: str,
        organisation_url: str,
        tenant_id: str = "",
        authority: str = "",
        scope: str = "",
        secret: str = "",
        certificate: str | Path = "",
        password: str = "",
        ca_file: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if bool(secret) == bool(certificate):
            raise UsageError("Give either a client secret or a client certificate.")
        if not client_id:
            raise UsageError("The client id is missing.")
        if not authority and not tenant_id:
            raise UsageError("The tenant id is missing.", hint="For AD FS give its authority instead, e.g. https://adfs.example.org/adfs.")
        self._authority = (authority or f"{entra_of(organisation_url)}/{tenant_id}").rstrip("/")
        if not self._authority.startswith("https://"):
            raise UsageError("The authority must be an https URL.")
        check_ca_file(ca_file)
        self._client_id = client_id
        self._credential = secret or certificate_credential(Path(certificate), password)
        is_adfs = self._authority.rsplit("/", 1)[-1].lower() == "adfs"
        # Entra: resource + /.default; AD FS: resource + /scope. The organisation's URL has no slash at its
        # end, so no `//.default` arises.
        self._scope = scope or f"{organisation_url.rstrip('/')}/{'openid' if is_adfs else '.default'}"
        self._http = PatientSession(ca_file, sleep, chance, monotonic)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._app: Any = None
        self._token = ""
        self._renews_at = self._lapses_at = 0.0

    def __repr__(self) -> str:
        return f"EntraTokens(authority={self._authority!r}, client_id={self._client_id!r})"

    def token(self) -> str:
        """Return a token. One that is still good is given on where the sign-in service does not answer."""
        with self._lock:
            if not self._token or self._monotonic() >= self._renews_at:
                try:
                    self._acquire()
                except Unreachable:
                    now = self._monotonic()
                    if not self._token or now >= self._lapses_at:
                        raise
                    self._renews_at = min(now + RENEW_AGAIN_S, self._lapses_at)
            return self._token

    def renew(self, rejected: str) -> str | None:
        with self._lock:
            if self._token in ("", rejected):  # else another thread has renewed it meanwhile
                if self._app is not None:
                    self._app.remove_tokens_for_client()
                self._token = ""
                self._acquire()
            return self._token

    def close(self) -> None:
        self._http.close()
        self._token = ""

    def _acquire(self) -> None:
        """Get a token. Raises NotSent: the sign-in service does not answer, or not now, or something else
        does, and so the CRM was asked nothing; Unauthorised: it gives none."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # MSAL's hints are for developers, not for readers of a run's log
                if self._app is None:
                    self._app = self._application()
                answer = self._app.acquire_token_for_client([self._scope])
        except requests.exceptions.ProxyError as failure:
            raise lost(failure, "", self._authority) from None
        except TemporarilyUnavailable as failure:
            raise self._not_now(str(failure)) from None
        except NotItsAnswer:
            raise self._unusable(NotSent) from None
        except (requests.RequestException, msal.exceptions.MsalServiceError) as failure:
            raise NotSent(
                f"The sign-in service does not answer ({type(failure).__name__}).",
                hint="Check network, proxy and CA file.",
                where=self._authority,
            ) from None
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError, msal.exceptions.MsalError):
            # MSAL puts whole answers into these messages, so nothing of them is passed on.
            raise self._unusable(Unauthorised) from None
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            refusal = _refusal(answer, self._authority)
            raise self._not_now(refusal.service_code) if _named(answer) in _PASSING else refusal
        if not is_token(token):
            raise self._unusable(Unauthorised)
        lifetime = str(answer.get("expires_in"))
        lifetime_s = float(lifetime) if lifetime.isdecimal() and len(lifetime) < 10 else 0.0
        self._token = token
        self._lapses_at = self._monotonic() + lifetime_s
        self._renews_at = self._lapses_at - min(RENEW_BEFORE_S, lifetime_s / 2)

    def _not_now(self, reason: str) -> NotSent:
        told = f"The sign-in service gives no token at the moment ({reason})."
        return NotSent(told, hint="Try again later; where it stays so, check network and proxy.", where=self._authority)

    def _unusable(self, kind: type[ConnectorError]) -> ConnectorError:
        return kind(
            "The sign-in service's answer is not usable.",
            hint="Check tenant id or authority, client id and certificate, and whether a proxy answers in its place.",
            where=self._authority,
        )

    def _application(self) -> Any:
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._credential,
            authority=self._authority,
            http_client=self._http,
            instance_discovery=False,  # the authority is configured by us; asking Microsoft about it fails behind strict firewalls
        )


_HINTS: Final = {  # Microsoft Learn, "Microsoft Entra authentication and authorization error codes"
    "AADSTS7000222": "The client secret has expired: make a new one in Entra ID, and set it.",
    "AADSTS7000215": "The client secret is another one: set its value, not its id.",
    "AADSTS700024": "Look at the clock of this machine: what it signs with the certificate is too old or too new.",
    "AADSTS700027": "Register this certificate with the application; one that has expired has to be replaced.",
    "AADSTS700016": "Check the client id: this tenant has no such application.",
    "AADSTS90002": "Check the tenant id: there is no such tenant.",
}


def _refusal(answer: object, authority: str) -> Unauthorised:
    """Return a refusal in our own words: what the service sends holds names, addresses and trace ids."""
    name, number = _named(answer), ""
    if isinstance(answer, dict):
        codes = answer.get("error_codes")
        number = f"AADSTS{codes[0]}" if isinstance(codes, list) and codes and isinstance(codes[0], int) else ""
    code = ", ".join(part for part in (name, number) if part)
    return Unauthorised(
        f"The sign-in service gives no token{f' ({code})' if code else ''}.",
        hint=_HINTS.get(number, "Check client id, tenant and secret or certificate; a secret may have expired."),
        where=authority,
        service_code=number or name,
    )


def _named(answer: object) -> str:
    """Return the name of the error in an answer; empty where it has none."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, str) and _ERROR_NAME.fullmatch(error) else ""


def certificate_credential(path: Path, password: str) -> dict[str, str]:
    """Return the credential in the form that MSAL takes; a wrong password or file is reported now, not in the
    middle of the night."""
    content = _content(path)
    if path.suffix.lower() in (".pfx", ".p12"):
        from cryptography.hazmat.primitives.serialization import pkcs12

        try:
            key, certificate, _ = pkcs12.load_key_and_certificates(content, password.encode() or None)
        except ValueError:
            raise UsageError("The client certificate is not a PFX file, or its password is wrong.", where=str(path)) from None
        if key is None or certificate is None:
            raise UsageError("The PFX file lacks the key or the certificate.", where=str(path))
        _check_pair(key, certificate, path)
        pfx = {"private_key_pfx_path": str(path)}
        return pfx | {"passphrase": password} if password else pfx
    text = content.decode("ascii", "replace")
    key_text, certificate_text = _PRIVATE_KEY.search(text), _CERTIFICATE.search(text)
    if not key_text or not certificate_text:
        raise UsageError("The PEM file must hold the private key and the certificate.", where=str(path))
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        key = load_pem_private_key(key_text.group().encode(), password.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError("The key of the client certificate cannot be read, or its password is wrong.", where=str(path)) from None
    try:
        certificate = load_pem_x509_certificate(certificate_text.group().encode())
    except ValueError:
        raise UsageError("The client certificate beside its key cannot be read.", where=str(path)) from None
    _check_pair(key, certificate, path)
    pem = {"private_key": key_text.group(), "public_certificate": certificate_text.group()}
    return pem | {"passphrase": password} if password else pem


def _check_pair(key: object, certificate: "Certificate", path: Path) -> None:
    """Refuse what MSAL cannot sign with, or whose signature nobody would believe."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(key, RSAPrivateKey):
        raise UsageError("The client certificate has no RSA key.", hint="Make one with RSA, and register it.", where=str(path))
    if certificate.public_key() != key.public_key():
        hint = "Put the one that belongs to the key first."
        raise UsageError("The first certificate of the file is not the one of its key.", hint=hint, where=str(path))


def certificate_end(path: Path, password: str) -> datetime:
    """Return when a client certificate ends; its key is not looked at. Raises UsageError: it cannot be
    read."""
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography.x509 import load_pem_x509_certificate

    content = _content(path)
    try:
        if path.suffix.lower() in (".pfx", ".p12"):
            _, certificate, _ = pkcs12.load_key_and_certificates(content, password.encode() or None)
        else:
            found = _CERTIFICATE.search(content.decode("ascii", "replace"))
            certificate = load_pem_x509_certificate(found.group().encode()) if found else None
    except ValueError:
        certificate = None
    if certificate is None:
        raise UsageError("The client certificate cannot be read, or its password is wrong.", where=str(path))
    return certificate.not_valid_after_utc


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        raise UsageError(f"The client certificate cannot be read ({failure.strerror}).", where=str(path)) from None


class PatientSession(requests.Session):
    """The HTTP client under MSAL: our CA file, a time-out, a longest time and a largest size of an answer,
    and a few repetitions, which are safe here, while they are quick."""

    ATTEMPTS = 4

    def __init__(
        self,
        ca_file: str | None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._ca_file, self._sleep, self._chance, self._monotonic = ca_file, sleep, chance, monotonic
        self.headers["Accept-Encoding"] = "gzip"
        for scheme in ("https://", "http://"):
            self.mount(scheme, DeadlineAdapter(ANSWER_S))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"timeout": (CONNECT_S, TIMEOUT_S), "stream": True}
        kwargs["allow_redirects"] = False  # the body holds the secret
        if self._ca_file:
            kwargs["verify"] = self._ca_file
        enough_at = self._monotonic() + ENOUGH_S
        retrying = tenacity.Retrying(
            stop=lambda state: state.attempt_number >= self.ATTEMPTS or self._monotonic() >= enough_at,
            wait=lambda state: min(2.0 ** (state.attempt_number - 1), 8.0) * (0.5 + self._chance() / 2),
            retry=tenacity.retry_if_exception_type((requests.ConnectionError, requests.Timeout))
            | tenacity.retry_if_result(lambda response: response.status_code in _AWAY),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
            sleep=self._sleep,
        )
        response: requests.Response = retrying(self._whole, method, url, *args, **kwargs)
        if response.status_code in _AWAY:  # MSAL takes a 429 for a refusal, and whatever came for a token's answer
            raise TemporarilyUnavailable(f"HTTP {response.status_code}")
        try:
            json.loads(response.text)
        except (ValueError, RecursionError):  # MSAL would log it whole, and a token may be in it
            raise NotItsAnswer from None
        return response

    def _whole(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Return an answer that has come whole. Raises requests.ConnectionError: it has not."""
        response = super().request(method, url, *args, **kwargs)
        try:
            response._content = read_body(response, MOST_BYTES)
        except BodyBroken:
            raise requests.ConnectionError("the answer is not whole") from None
        finally:
            response.close()
        response.encoding = response.encoding or "utf-8"  # else it is guessed, as no JSON needs
        return response
