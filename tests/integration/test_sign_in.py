"""Signing in as towards a real CRM: MSAL over https, to a sign-in service in the forms of Entra ID and of AD
FS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from connectors.dynamics.http.entra import EntraTokens
from connectors.emulator.serving.server import RunningEmulator, running
from connectors.interface.errors import ObjectError, Unauthorised, Unreachable
from crm_compliance.configuration.settings import Settings, environment_of
from crm_compliance.connections.credentials import token_source
from crm_compliance.connections.document_stores import document_stores
from crm_compliance.identity.signin import NotSignedIn, Person, person
from crm_compliance.wiring.crm import connector_of
from rules.errors import UsageError
from rules.model.records import Dossier
from tests.drivers.organisation import set_faults

pytestmark = pytest.mark.row(1)

TENANT = "5b1f0c7e-3d0a-4f11-9f8a-000d3ab1c001"
CLIENT = "9d3c1f60-0000-4000-8000-00000000c11e"
SECRET = "zeer geheim"
FIXED = "the-tests-own"  # no other token gets in, but those that the sign-in service gives
OID = "5c1d2f60-0000-4000-8000-00000000beef"
ELSEWHERE = "https://org.crm4.dynamics.com/api/data/v9.2/"  # on this machine people are believed, so that none signs in
FORMS = pytest.mark.parametrize("form", [TENANT, "adfs"], ids=["entra", "adfs"])


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls") / "ca.pem"


@pytest.fixture(scope="module")
def server(ca_file: Path) -> Iterator[RunningEmulator]:
    with running(tls=ca_file, token=FIXED) as emulator:
        yield emulator


@pytest.fixture
def emulator(server: RunningEmulator, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> RunningEmulator:
    """Without rows, at the real time, knowing one application and one tenant."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
    control(server, "POST", "reset", {"empty": True})
    control(server, "PUT", "clock", {"real": True})
    know(server, {"secret": SECRET})
    return server


@pytest.fixture
def settings(emulator: RunningEmulator, ca_file: Path, tmp_path: Path) -> Callable[..., Settings]:
    """The settings of one sign-in service: `form` is the end of its address. With SECRET, unless told
    otherwise, and a store of its own."""

    def make(form: str, **others: object) -> Settings:
        given: dict[str, object] = {
            "crm_url": emulator.url,
            "data_dir": tmp_path / "data",
            "crm_client_id": CLIENT,
            "crm_tenant_id": TENANT,
            "crm_authority": f"{emulator.root}/{form}",
            "crm_ca_file": ca_file,
            "crm_client_secret": SECRET,
        }
        return Settings.model_validate({name: value for name, value in (given | others).items() if value is not None})

    return make


def control(emulator: RunningEmulator, method: str, name: str, document: object) -> None:
    requests.request(method, f"{emulator.root}/_emulator/{name}", json=document, timeout=10).raise_for_status()


def know(emulator: RunningEmulator, proof: dict[str, str], **more: object) -> None:
    """Whom the sign-in service knows: CLIENT by this proof, and two tenants."""
    control(emulator, "PUT", "authority", {"tenants": [TENANT, "adfs"], "applications": {CLIENT: proof}, **more})


def a_client_certificate(folder: Path, kind: str, password: str) -> tuple[Path, str]:
    """The file with key and certificate as the product takes it, and the certificate as the application's
    registration has it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client.example")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + timedelta(days=30))
    certificate = builder.sign(key, hashes.SHA256())
    encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    public = certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / f"client.{kind}"
    if kind == "pfx":
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"client", key, certificate, None, encryption))
    else:
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption) + public)
    return path, public.decode()


def application_of(emulator: RunningEmulator, user: str) -> str:
    """The application behind a user, as the CRM itself has it."""
    address = f"{emulator.url}systemusers({user})?$select=applicationid"
    answer = requests.get(address, headers={"Authorization": f"Bearer {FIXED}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    application: str = answer.json()["applicationid"]
    return application


# -- SharePoint, with the same application -------------------------------------------------------------------


@pytest.mark.parametrize("proof", ["secret", "certificate"])
def test_the_same_application_comes_in_at_graph(
    settings: Callable[..., Settings], emulator: RunningEmulator, tmp_path: Path, proof: str
) -> None:
    """Client credentials with Graph as their audience: a token for the CRM is none for Graph."""
    others: dict[str, object] = {}
    if proof == "certificate":
        file, public = a_client_certificate(tmp_path, "pem", "")
        know(emulator, {"certificate": public})
        others = {"crm_client_secret": None, "crm_client_certificate": file}
    site = "https://fictief.sharepoint.com/sites/Dossiers"
    files = [{"site": site, "library": "cf_dossier", "path": "D-1/a.txt"}]
    rights = {CLIENT: {"permissions": ["Sites.Selected"], "sites": {site: "write"}}}
    control(emulator, "PUT", "graph", {"files": files, "applications": rights})
    made = settings(TENANT, sharepoint_sites=site, graph_url=f"{emulator.root}/v1.0", **others)
    (store,) = document_stores(made)
    with closing(store), closing(token_source(made)) as of_crm:
        assert [finding.is_error for finding in store.findings()] == [False], "whether it may write shows at the first removal"
        folder = store.folder(f"{site}/cf_dossier/D-1")
        assert folder is not None
        answer = requests.get(
            f"{emulator.root}/v1.0/sites/fictief.sharepoint.com", headers={"Authorization": f"Bearer {of_crm.token()}"}, timeout=10
        )
        assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
        rights[CLIENT]["sites"] = {site: "read"}
        control(emulator, "PUT", "graph", {"applications": rights})
        with pytest.raises(ObjectError, match="may not"):
            store.remove(folder)
        rights[CLIENT]["sites"] = {}
        control(emulator, "PUT", "graph", {"applications": rights})
        assert [finding.is_error for finding in store.findings()] == [True]


def test_a_token_for_graph_that_lapsed_is_renewed(settings: Callable[..., Settings], emulator: RunningEmulator) -> None:
    site = "https://fictief.sharepoint.com/sites/Dossiers"
    control(emulator, "PUT", "graph", {"files": [{"site": site, "library": "cf_dossier", "path": "D-1/a.txt"}]})
    (store,) = document_stores(settings(TENANT, sharepoint_sites=site, graph_url=f"{emulator.root}/v1.0"))
    with closing(store):
        assert store.folder(f"{site}/cf_dossier/D-1") is not None
        set_faults(emulator, {"match": {"path": "/v1.0/", "nth": 1}, "do": "expire_token"})
        assert store.folder(f"{site}/cf_dossier/D-1") is not None
        set_faults(emulator)


def test_an_application_of_ad_fs_is_none_of_graph(settings: Callable[..., Settings]) -> None:
    with pytest.raises(UsageError, match="AD FS"):
        document_stores(settings("adfs", sharepoint_sites="https://fictief.sharepoint.com/sites/Dossiers"))


# -- the service itself --------------------------------------------------------------------------------------


@FORMS
def test_with_a_secret_the_service_comes_in_as_its_application_user(
    settings: Callable[..., Settings], emulator: RunningEmulator, form: str
) -> None:
    with connector_of(settings(form)) as connector:
        assert application_of(emulator, connector.whoami()) == CLIENT


@FORMS
@pytest.mark.parametrize(("kind", "password"), [("pem", ""), ("pem", "wachtwoord"), ("pfx", "wachtwoord"), ("pfx", "")])
def test_so_it_does_with_a_certificate_whose_signature_is_checked(
    settings: Callable[..., Settings], emulator: RunningEmulator, tmp_path: Path, form: str, kind: str, password: str
) -> None:
    path, registered = a_client_certificate(tmp_path, kind, password)
    know(emulator, {"certificate": registered})
    given = settings(form, crm_client_secret=None, crm_client_certificate=path, crm_client_certificate_password=password or None)
    with connector_of(given) as connector:
        assert application_of(emulator, connector.whoami()) == CLIENT


@FORMS
def test_a_token_that_has_expired_is_replaced(settings: Callable[..., Settings], emulator: RunningEmulator, form: str) -> None:
    """The CRM's clock decides: this machine still thinks that the token is good, and hears 401."""
    with connector_of(settings(form)) as connector:
        who = connector.whoami()
        control(emulator, "PUT", "clock", {"advance_s": 4000})
        before = emulator.stats()["requests"]
        assert connector.whoami() == who
        assert emulator.stats()["requests"] == before + 2


@FORMS
def test_a_token_revoked_in_the_middle_of_a_list_is_replaced_and_no_row_is_lost(
    settings: Callable[..., Settings], emulator: RunningEmulator, form: str
) -> None:
    emulator.load(("cf_dossier", {"cf_dossierid": f"00000000-0000-4000-8000-{n:012}", "cf_name": f"D-{n}"}) for n in range(5001))
    with connector_of(settings(form)) as connector:
        set_faults(emulator, {"match": {"path": "*skiptoken*", "nth": 1}, "do": "expire_token"})
        assert len({dossier.id for page in connector.read(Dossier, ()) for dossier in page}) == 5001
    (rule,) = requests.get(f"{emulator.root}/_emulator/faults", timeout=10).json()
    assert rule["fired"] == 1


@pytest.mark.parametrize(
    ("form", "others", "code"),
    [
        (TENANT, {"crm_client_secret": "iets anders"}, "AADSTS7000215"),
        ("adfs", {"crm_client_secret": "iets anders"}, "invalid_client"),
        (TENANT, {"crm_client_id": OID}, "AADSTS700016"),
        ("adfs", {"crm_client_id": OID}, "unauthorized_client"),
        ("another-tenant", {}, ""),
    ],
    ids=["secret-entra", "secret-adfs", "application-entra", "application-adfs", "tenant"],
)
def test_who_is_not_known_gets_no_token(settings: Callable[..., Settings], form: str, others: dict[str, str], code: str) -> None:
    with closing(token_source(settings(form, **others))) as tokens, pytest.raises(Unauthorised) as caught:
        tokens.token()
    assert caught.value.service_code == code
    assert "iets anders" not in f"{caught.value} {vars(caught.value)}"


@FORMS
def test_another_certificate_than_the_registered_one_gets_no_token(
    settings: Callable[..., Settings], emulator: RunningEmulator, tmp_path: Path, form: str
) -> None:
    path, _ = a_client_certificate(tmp_path, "pem", "")
    (tmp_path / "other").mkdir()
    know(emulator, {"certificate": a_client_certificate(tmp_path / "other", "pem", "")[1]})
    given = settings(form, crm_client_secret=None, crm_client_certificate=path)
    with closing(token_source(given)) as tokens, pytest.raises(Unauthorised) as caught:
        tokens.token()
    assert caught.value.service_code == ("invalid_client" if form == "adfs" else "AADSTS700027")


@FORMS
def test_a_sign_in_service_that_no_trusted_authority_vouches_for_gets_no_secret(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    authority = f"{emulator.root}/{form}"
    source = EntraTokens(client_id=CLIENT, secret=SECRET, organisation_url=emulator.root, authority=authority, sleep=lambda _: None)
    with closing(source) as tokens, pytest.raises(Unreachable, match="SSLError"):
        tokens.token()


@FORMS
def test_the_commands_work_over_https_with_a_secret(emulator: RunningEmulator, ca_file: Path, tmp_path: Path, form: str) -> None:
    given = {
        "CRM_URL": emulator.url,
        "CRM_CLIENT_ID": CLIENT,
        "CRM_CLIENT_SECRET": SECRET,
        "CRM_AUTHORITY": f"{emulator.root}/{form}",
        "CRM_CA_FILE": str(ca_file),
        "DATA_DIR": str(tmp_path / "data"),
    }
    command = [sys.executable, "-m", "crm_compliance", "doctor", "--json"]
    environment = {name: value for name, value in environment_of(given).items() if name != "REQUESTS_CA_BUNDLE"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert said.returncode == 0, said.stdout + said.stderr
    checks: dict[str, Any] = {check["name"]: check for check in json.loads(said.stdout)["checks"]}
    assert "reached as application user" in checks["crm"]["message"]
    assert all(check["ok"] for check in checks.values())
    assert SECRET not in said.stdout + said.stderr


# -- a person ------------------------------------------------------------------------------------------------


class Patience:
    """The module `time` as MSAL has it: it waits without waiting, and something may happen meanwhile."""

    def __init__(self) -> None:
        self.waited_s = 0.0
        self.then: dict[float, Callable[[], None]] = {}  # seconds waited -> what happens

    def time(self) -> float:
        return time.time() + self.waited_s

    def sleep(self, seconds: float) -> None:
        self.waited_s += seconds
        self.then.get(self.waited_s, lambda: None)()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[Patience]:
    """At a terminal. The connections that MSAL opens end with the test: by itself it leaves them to the
    garbage collector."""
    patience, opened, application = Patience(), [], msal.PublicClientApplication

    def remembered(*given: Any, **more: Any) -> Any:
        opened.append(application(*given, **more))
        return opened[-1]

    monkeypatch.setattr("crm_compliance.identity.signin._at_a_terminal", lambda: True)
    monkeypatch.setattr("msal.oauth2cli.oauth2.time", patience)
    monkeypatch.setattr(msal, "PublicClientApplication", remembered)
    yield patience
    for each in opened:
        each.http_client.close()


def someone(**claims: object) -> dict[str, object]:
    return {"oid": OID, "name": "Lotte Peeters (fictief)", "roles": ["dpo", "auditor"], **claims}


def test_a_person_types_the_code_and_acts_in_a_role_of_the_token(
    settings: Callable[..., Settings], emulator: RunningEmulator, patience: Patience, capsys: pytest.CaptureFixture[str]
) -> None:
    know(emulator, {"secret": SECRET}, person=someone())
    found = person(settings("adfs", crm_url=ELSEWHERE), "somebody-else", "dpo")
    assert (found, found.names) == (Person(OID, "dpo"), ("Lotte Peeters (fictief)",))
    assert f"open the page {emulator.root}/adfs/device and enter the code" in capsys.readouterr().err
    assert patience.waited_s == 0


def test_a_device_code_of_a_tenant_is_good_for_msal_too(emulator: RunningEmulator, ca_file: Path) -> None:
    know(emulator, {"secret": SECRET}, person=someone())
    application = msal.PublicClientApplication(CLIENT, authority=f"{emulator.root}/{TENANT}", verify=str(ca_file), instance_discovery=False)
    flow = application.initiate_device_flow(scopes=["User.Read"])
    claims = application.acquire_token_by_device_flow(flow)["id_token_claims"]
    application.http_client.close()
    assert (claims["oid"], claims["roles"], claims["tid"]) == (OID, ["dpo", "auditor"], TENANT)


def test_the_sign_in_waits_until_the_code_has_been_typed(
    settings: Callable[..., Settings], emulator: RunningEmulator, patience: Patience
) -> None:
    patience.then[7] = lambda: know(emulator, {"secret": SECRET}, person=someone())
    assert person(settings("adfs", crm_url=ELSEWHERE), "", "auditor") == Person(OID, "auditor")
    assert patience.waited_s == 10  # it asks every five seconds


@pytest.mark.parametrize(
    ("who", "role", "message"),
    [
        (someone(), "approver", "does not carry the app role approver"),
        (someone(roles=None), "dpo", "does not carry the app role dpo"),
        (someone(declines=True), "dpo", "the sign-in failed .authorization_declined."),
    ],
    ids=["another-role", "no-roles", "declined"],
)
def test_whose_token_lacks_the_role_or_who_declines_does_not_act(
    settings: Callable[..., Settings], emulator: RunningEmulator, patience: Patience, who: dict[str, object], role: str, message: str
) -> None:
    know(emulator, {"secret": SECRET}, person=who)
    with pytest.raises(NotSignedIn, match=message):
        person(settings("adfs", crm_url=ELSEWHERE), "", role)


def test_a_code_that_nobody_types_expires(settings: Callable[..., Settings], emulator: RunningEmulator, patience: Patience) -> None:
    patience.then[3] = lambda: control(emulator, "PUT", "clock", {"advance_s": 901})
    with pytest.raises(NotSignedIn, match="expired_token"):
        person(settings("adfs", crm_url=ELSEWHERE), "", "dpo")


def test_an_application_that_is_not_registered_gets_no_code(settings: Callable[..., Settings], patience: Patience) -> None:
    with pytest.raises(NotSignedIn, match=r"does not offer a device code \(unauthorized_client\)"):
        person(settings("adfs", crm_url=ELSEWHERE, crm_client_id=OID), "", "dpo")
