"""The profile of a server on-premises: an older version, AD FS and Windows credentials, no service
protection, errors that say more."""

from collections.abc import Iterator

import pytest
import requests

from connectors.emulator.serving.server import RunningEmulator, running
from tests.connectors.emulator.client import Client
from tests.web_api import ANNOTATED, change_set, error_of, new_id, request_part

pytestmark = [pytest.mark.row(1, 2, 3, 20), pytest.mark.usefixtures("real_http")]

TOKEN_FORM = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "x", "scope": "https://crm.example.org/openid"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningEmulator]:
    with running(profile="onprem", limits=True) as emulator:
        yield emulator


@pytest.fixture
def crm(server: RunningEmulator) -> Iterator[Client]:
    client = Client(server)
    client.control("POST", "reset", {"empty": True})
    yield client
    client.http.close()


def test_the_address_that_is_announced_ends_at_version_9_1(crm: Client) -> None:
    assert crm.url == f"{crm.root}/api/data/v9.1/"
    assert crm.row("RetrieveVersion")["Version"].startswith("9.1.")


def test_the_profile_is_a_set_of_switches(crm: Client) -> None:
    switches = crm.control("GET", "switches")
    names = (
        "highest_version",
        "adfs",
        "service_protection",
        "chunked_files",
        "quarterly_audit_partitions",
        "bulk_messages",
        "inner_errors",
    )
    assert [switches[name] for name in names] == ["v9.1", True, False, False, False, False, True]
    assert switches["recycle_bin_days"] == 0


@pytest.mark.parametrize(("version", "status"), [("v9.0", 200), ("v9.1", 200), ("v9.2", 404), ("v9.3", 404), ("v8.2", 404)])
def test_version_9_2_is_not_there(crm: Client, version: str, status: int) -> None:
    assert crm.get(f"{crm.root}/api/data/{version}/WhoAmI").status_code == status


def test_the_organisations_name_may_stand_in_the_path(crm: Client) -> None:
    """As a server without an address for each organisation has it: links and bindings keep that form."""
    root = f"{crm.root}/voorbeeld/api/data/v9.1/"
    made = crm.send("POST", f"{root}cf_dossiers", {"cf_name": "D-1"}).headers["OData-EntityId"]
    assert made.startswith(f"{root}cf_dossiers(")
    bound = {"cf_name": "F-1", "cf_DossierId@odata.bind": made}
    assert crm.send("POST", f"{root}cf_fiches", bound).status_code == 204
    page = crm.row(f"{root}cf_fiches?$select=_cf_dossierid_value", {"Prefer": "odata.maxpagesize=1"})
    assert page["@odata.context"].startswith(f"{root}$metadata#cf_fiches")
    assert page["value"][0]["_cf_dossierid_value"] in made
    answer = crm.batch(change_set(request_part("POST", "/voorbeeld/api/data/v9.1/cf_dossiers", '{"cf_name":"D-2"}', content_id="1")))
    assert (answer.status_code, len(crm.rows("cf_dossiers"))) == (200, 2)


@pytest.mark.parametrize("prefix", ["", "/voorbeeld"])
def test_without_a_token_ad_fs_and_windows_credentials_are_offered(crm: Client, prefix: str) -> None:
    answer = requests.get(f"{crm.root}{prefix}/api/data/v9.1/WhoAmI", timeout=10)
    offers = answer.raw.headers.getlist("WWW-Authenticate")
    bearer = f"Bearer authorization_uri={crm.root}/adfs/oauth2/authorize, resource_id={crm.root}{prefix}/"
    assert (answer.status_code, offers) == (401, [bearer, "Negotiate", "NTLM"])


def test_online_only_the_bearer_token_is_offered() -> None:
    with running() as emulator:
        offers = requests.get(emulator.url, timeout=10).raw.headers.getlist("WWW-Authenticate")
    assert [offer.partition(" ")[0] for offer in offers] == ["Bearer"]
    assert "/common/oauth2/authorize" in offers[0]


def test_ad_fs_gives_a_token_that_the_organisation_takes(crm: Client) -> None:
    configuration = requests.get(f"{crm.root}/adfs/.well-known/openid-configuration", timeout=10).json()
    assert configuration["token_endpoint"] == f"{crm.root}/adfs/oauth2/token"
    answer = requests.post(configuration["token_endpoint"], data=TOKEN_FORM, timeout=10).json()
    who = Client(crm.emulator, answer["access_token"]).row("WhoAmI")
    assert who["UserId"] != crm.row("WhoAmI")["UserId"]


def test_nobody_is_throttled_and_nothing_is_said_of_what_is_left(crm: Client) -> None:
    crm.control("PUT", "limits", {"on": True, "requests": 2})
    answers = [crm.get("WhoAmI") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    names = {name.lower() for answer in answers for name in answer.headers}
    assert {"req_id", "odata-version"} < names
    assert not [name for name in names if name.startswith("x-ms-ratelimit") or name == "x-ms-dop-hint"]


def test_an_error_carries_an_inner_error(crm: Client) -> None:
    row = new_id()
    error = crm.get(f"contacts({row})").json()["error"]
    assert set(error) == {"code", "message", "innererror"}
    assert error["innererror"]["message"] == error["message"] == f"Entity 'contact' With Id = {row} Does Not Exist"
    assert error["innererror"]["type"].startswith("System.ServiceModel.FaultException`1[")
    assert error["innererror"]["stacktrace"].lstrip().startswith("at Microsoft.Crm.")


def test_so_do_errors_of_the_front_door_of_a_batch_and_annotated_ones(crm: Client) -> None:
    assert "innererror" in requests.get(crm.url, timeout=10).json()["error"]
    assert "innererror" in crm.get(f"{crm.root}/api/data/v9.2/contacts").json()["error"]
    assert '"innererror"' in crm.batch(request_part("GET", f"contacts({new_id()})")).text
    assert crm.batch("Content-Type: text/plain\r\n\r\nx").json()["error"]["innererror"]
    error = crm.get(f"contacts({new_id()})", ANNOTATED).json()["error"]
    assert "innererror" in error
    assert "@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus" in error


@pytest.mark.parametrize("message", ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"])
def test_the_messages_on_many_rows_are_not_there(crm: Client, message: str) -> None:
    address = f"contacts/Microsoft.Dynamics.CRM.{message}"
    assert error_of(crm.send("POST", address, {"Targets": []})) == (404, "0x8006088a")


def test_a_file_moves_in_one_request_and_in_no_other_way(crm: Client) -> None:
    file = f"cf_recordings({crm.create('cf_recordings', cf_name='R-1')})/cf_media"
    named = {"x-ms-file-name": "opname.wav", "Content-Type": "application/octet-stream"}
    in_chunks = crm.http.patch(crm.url + file, headers=named | {"x-ms-transfer-mode": "chunked"}, timeout=10)
    assert error_of(in_chunks) == (400, "0x80090017")
    assert crm.http.patch(crm.url + file, data=b"klank", headers=named, timeout=10).status_code == 204
    assert error_of(crm.get(f"{file}/$value", {"Range": "bytes=0-2"})) == (400, "0x80090017")
    assert crm.get(f"{file}/$value").content == b"klank"


def test_what_is_deleted_is_gone_for_good(crm: Client) -> None:
    """There is no recycle bin, so that the options of a bulk delete change nothing."""
    single, many = crm.contact(), crm.contact(lastname="Maes (fictief)")
    assert crm.send("DELETE", f"contacts({single})").status_code == 204
    condition = {"AttributeName": "lastname", "Operator": "Equal", "Values": [{"Value": "Maes (fictief)", "Type": "System.String"}]}
    job = {
        "QuerySet": [{"EntityName": "contact", "Criteria": {"FilterOperator": "And", "Conditions": [condition], "Filters": []}}],
        "JobName": "opruim",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "Options": {"CanRecoverDeletedRecords": True, "RunJobForSandbox": True},
    }
    answer = crm.send("POST", "BulkDelete", job)
    assert answer.status_code == 200, answer.text
    crm.control("PUT", "clock", {"advance_s": 5})
    assert crm.row(f"asyncoperations({answer.json()['JobId']})?$select=statuscode")["statuscode"] == 30
    assert not crm.exists("contacts", many)
    assert crm.rows("deleteditemreferences") == []
    for row in (single, many):
        target = {"@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": row}
        assert crm.send("POST", "Restore", {"Target": target}).status_code in (400, 404)


def test_metadata_reads_as_online(crm: Client) -> None:
    answer = crm.get("$metadata")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/xml")
    assert crm.row("EntityDefinitions(LogicalName='cf_fiche')?$select=EntitySetName")["EntitySetName"] == "cf_fiches"
    assert "cf_fiches" in [each["name"] for each in crm.rows("")]
