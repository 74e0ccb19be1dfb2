"""Where people keep documents outside the CRM: the sites of SharePoint that the settings name, and nothing
else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_compliance.configuration.settings import Settings
from crm_compliance.connections.credentials import graph_token_source

if TYPE_CHECKING:
    from connectors.storage.sharepoint import SharePoint


def document_stores(settings: Settings, *, user_agent: str = "crm-compliance", patience_s: float = 0.0) -> tuple[SharePoint, ...]:
    """Return the document stores of the settings; nothing is sent yet. Raises UsageError: sites are named,
    and there is no access that could be used."""
    if not settings.sharepoint_sites:
        return ()
    from connectors.storage.sharepoint import SharePoint

    return (
        SharePoint.open(
            settings.graph_url,
            graph_token_source(settings),
            settings.sharepoint_sites,
            ca_file=str(settings.crm_ca_file) if settings.crm_ca_file is not None else None,
            user_agent=user_agent,
            patience_s=patience_s,
        ),
    )
