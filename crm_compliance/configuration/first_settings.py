"""A settings file for an organisation that begins: every setting with what it decides, the needed ones first.
A secret never stands in it: it says which variable takes it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from crm_compliance.configuration.settings import PREFIX, SECRETS, Settings
from jobs.registry import JOBS

NEEDED: Final = ("crm_url", "crm_tenant_id", "crm_client_id")
_WEB_API: Final = "/api/data/v9.2/"
_AN_ID: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Described:
    """One setting: what it decides, and an example where it has no default."""

    text: str
    example: Any = None


SECTIONS: Final[Mapping[str, Mapping[str, Described]]] = {
    "Needed: which CRM, and who reads it": {
        "crm_url": Described("The root of the CRM's Web API.", "https://org.crm4.dynamics.com/api/data/v9.2/"),
        "crm_tenant_id": Described("The directory (tenant) in Entra ID to which the application belongs.", _AN_ID),
        "crm_client_id": Described("The application (client) id in Entra ID.", _AN_ID),
        "crm_client_secret": Described("Its secret, unless it has a certificate."),
        "crm_client_certificate": Described("Its certificate with key, instead of a secret.", "/etc/crm-compliance/application.pem"),
        "crm_client_certificate_password": Described("The password of that file, where it has one."),
    },
    "Needed: what is kept where, and what decides": {
        "data_dir": Described("State, keys and plans; by default below the user's data folder.", "/var/lib/crm-compliance"),
        "mapping": Described("Which table and column is what. Without it, the reference environment of the product.", "mapping.yaml"),
        "policy": Described("The retention schedule, with time zone and country: a file, or a folder of versions.", "policy.yaml"),
        "organisation": Described("What is said in the organisation's name. Without it, the shipped one's words.", "organisation.yaml"),
    },
    "The store and its witnesses": {
        "database_url": Described("A PostgreSQL database instead of the SQLite file in the data folder."),
        "anchor_file": Described("Checkpoints of the ledger; better on a storage that nobody can rewrite.", "/mnt/worm/anchor.jsonl"),
        "erasures_file": Described("The register of erasures beside the database; better on another disk.", "/mnt/other/erasures.jsonl"),
        "timestamp_url": Described("A time-stamp authority (RFC 3161) for checkpoints; needs the extra `timestamp`.", "https://tsa.example.org/"),
        "timestamp_ca": Described("The PEM file that verifies its stamps.", "/etc/crm-compliance/tsa.pem"),
    },
    "Recordings outside the CRM": {
        "storage_dir": Described("The only folder below which `file:` objects of recordings may be deleted.", "/srv/recordings"),
        "azure_storage": Described("The Azure Blob Storage account of recordings; needs the extra `azure`."),
        "azure_container": Described("The only container in which blobs may be deleted.", "recordings"),
    },
    "Documents in SharePoint": {
        "sharepoint_sites": Described("The only sites or libraries of SharePoint in which documents are read and removed.", ("https://org.sharepoint.com/sites/CRM",)),
        "graph_url": Described("The root of Microsoft Graph, where the cloud is a national one."),
    },
    "How the CRM is asked": {
        "crm_authority": Described("The authority where it is not Entra ID: AD FS of an own installation.", "https://adfs.example.org/adfs"),
        "crm_ca_file": Described("A PEM file that is trusted for CRM and authority.", "/etc/ssl/own-ca.pem"),
        "crm_concurrency": Described("How many batches at once at most, for each application."),
        "crm_reads": Described("How many reads of whole tables at once at most."),
        "crm_lake": Described("A folder of the CRM's tables, as Synapse Link or Fabric Link lays them down, that plans read.", "/mnt/lake"),
        "crm_lake_hours": Described("How many hours old the newest row there may be."),
        "workers": Described("Who decides on units: here, threads, processes, or a scheduler (extra `cluster`).", "tls://scheduler:8786"),
        "worker_count": Described("How many of them."),
        "crm_reserved_share": Described("The share of the CRM's limits that is left to others."),
        "crm_patience_s": Described("How many seconds a run waits out an outage of the CRM."),
        "crm_extra_clients": Described("Further applications that share the writing, as JSON."),
        "bulk_delete": Described("Large sets of recordings as a job of the CRM: auto, off or always."),
        "incremental_reads": Described("Read only what has changed since last time."),
        "full_read_days": Described("At least every so many days all is read."),
    },
    "The service": {
        "public_url": Described("The address under which people reach `serve` from outside, for download links."),
        "trusted_proxies": Described("Reverse proxies, addresses or networks, whose word on whom they speak for is believed."),
        "alerts": Described("Which event is told to whom, by which channel.", "alerts.yaml"),
        "alert_secrets": Described("Passwords, addresses and keys of alert channels, as JSON."),
        "metrics_token": Described("A bearer token with which /metrics answers from elsewhere."),
        "signin_minutes": Described("For how many minutes a sign-in is good for further commands."),
        "session_idle_minutes": Described("After how many minutes without a page somebody signs in again at the console."),
        "session_hours": Described("After how many hours in any case."),
        "retry_hours": Described("For how many hours after its own a job is tried again that CRM or database did not answer; 0: never."),
        "log_level": Described("DEBUG, INFO, WARNING or ERROR."),
        **{job.setting: Described(f"When `serve` does this, by the schedule's clock: {job.purpose}", job.cron) for job in JOBS.values()},
    },
    "For a CRM on this machine only": {
        "crm_token": Described("A static token."),
        "clock": Described("An instant at which the product's clock starts.", "2026-11-25T09:00:00Z"),
    },
}  # fmt: skip


def first_settings(values: Mapping[str, str]) -> str:
    """Return the text of a settings file in which these values are set, by name, and every other setting
    stands as a comment. None of the values is a secret."""
    return "\n".join(_lines(values)) + "\n"


def secrets_needed(values: Mapping[str, str]) -> list[str]:
    """Return the variables that have to take a secret, so that these settings can be used."""
    named = Settings.model_validate(dict(values))
    if named.is_loopback and named.crm_client_id is None:
        return [f"{PREFIX}CRM_TOKEN"]
    return [] if named.crm_client_certificate is not None else [f"{PREFIX}CRM_CLIENT_SECRET"]


def missing(values: Mapping[str, str]) -> list[str]:
    """Return the needed settings that have no value; a CRM on this machine needs no application."""
    named = Settings.model_validate(dict(values))
    return [name for name in NEEDED if name not in values and (name == "crm_url" or not named.is_loopback)]


def web_api_root(text: str) -> str:
    """Return the root of the Web API of an environment that somebody named by its address alone."""
    parts = urlsplit(text)
    is_bare = parts.scheme == "https" and parts.path in ("", "/") and not parts.query and not parts.fragment
    return f"{text.rstrip('/')}{_WEB_API}" if is_bare else text


def _lines(values: Mapping[str, str]) -> Iterator[str]:
    yield "# Settings of crm-compliance. A line that begins with # is not in force: what stands in it is the default, or"
    yield f"# an example. A variable {PREFIX}NAME wins over a line of this file. Secrets belong into variables."
    for title, section in SECTIONS.items():
        yield f"\n# {title}"
        for name, each in section.items():
            yield f"\n# {each.text}"
            if name in SECRETS:
                yield f"# A secret, never written here: the variable {PREFIX}{name.upper()} takes it."
            elif name in values:
                yield f"{name} = {_toml(values[name])}"
            else:
                yield f"# {name} = {_toml(each.example if each.example is not None else Settings.model_fields[name].default)}"


def _toml(value: Any) -> str:
    """Return a value as TOML writes it, which is as JSON does for what settings hold."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False).replace("\x7f", "\\u007f")
