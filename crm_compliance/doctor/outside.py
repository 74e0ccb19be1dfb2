"""Places outside the CRM: storages of recordings, SharePoint, alert channels, a cluster of workers."""

from contextlib import closing

from connectors.channels.channel import ChannelFailed
from connectors.interface.connector import Connector
from crm_compliance.alerts.channels import channels_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.document_stores import document_stores
from crm_compliance.connections.object_stores import object_stores
from crm_compliance.connections.worker_pool import Pool, workers_of
from crm_compliance.wiring.clock import clock_of
from rules.errors import UsageError


def about_storage(settings: Settings) -> str:
    """Check the storages outside the CRM: an error if unusable, a warning if one keeps what we remove."""
    told = []
    for store in object_stores(settings):
        found = store.findings()
        errors = [finding.message for finding in found if finding.is_error]
        if errors:
            raise UsageError("; ".join(errors), hint="STORAGE_DIR, AZURE_STORAGE, AZURE_CONTAINER", where=found[0].where)
        told += [store.described, *(finding.message for finding in found)]
    return "\n".join(told) or "no external storage configured; recordings stored there are skipped"


def about_workers(settings: Settings) -> str:
    """Check that the cluster that decides on plans answers, and has a worker; empty without a cluster."""
    workers = workers_of(settings)
    if not isinstance(workers, Pool) or "://" not in settings.workers:
        return ""
    with closing(workers):
        workers.ready()
    return f"at least one is at {settings.workers}"


def about_alerts(settings: Settings) -> str:
    """Check that each alert channel is reached, without anybody hearing of it."""
    told, problems = [], []
    for name, channel in channels_of(settings, clock_of(settings)).by_name.items():
        try:
            told.append(f"{name}: {channel.check()}")
        except ChannelFailed as error:
            problems.append(error)
    if problems:
        raise ChannelFailed("; ".join(map(str, problems)), hint=problems[0].hint, code=problems[0].code)
    return "\n".join(told)


def about_sharepoint(settings: Settings) -> str:
    """Check that SharePoint lets us in, that each site of the settings is reached with its recycle bin, and
    what the application may do there."""
    told = []
    for store in document_stores(settings):
        with closing(store):
            found = store.findings()
        errors = [finding.message for finding in found if finding.is_error]
        if errors:
            raise UsageError("; ".join(dict.fromkeys(errors)), hint="docs/sharepoint.md says how access is given", where=found[0].where)
        told += [store.described, *(finding.message for finding in found)]
    return "\n".join(told)


def about_documents(settings: Settings, connector: Connector) -> str:
    """Return how many rows of the CRM have documents in SharePoint, and of how many no setting reaches
    these."""
    found = [location for location in connector.document_locations() if location.owner is not None]
    (store,) = document_stores(settings)
    with closing(store):
        outside = sum(store.canonical(location.address) is None for location in found)
    told = [f"{len(found)} document locations belong to rows of the CRM"]
    if outside:
        told.append(
            f"warning: {outside} of them lie outside SHAREPOINT_SITES: their units wait, and answers say that nobody was looked for there"
        )
    return "\n".join(told)
