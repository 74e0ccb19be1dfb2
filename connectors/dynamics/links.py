"""Addresses of rows in the CRM's own user interface (ACC-04)."""

from urllib.parse import urlsplit

from connectors.dynamics.http.query import guid


def row_address(organisation_url: str, app_url: str, table: str, row: str) -> str:
    """Return the address at which a person opens one row: in the app that the mapping names, or in the
    organisation's own interface."""
    root = app_url or f"{_user_interface(organisation_url)}/main.aspx"
    return f"{root}{'&' if '?' in root else '?'}etn={table}&id={guid(row)}&pagetype=entityrecord"


def _user_interface(organisation_url: str) -> str:
    """Return the host that people use: Power Apps' developer page gives the `.api.` form of the address,
    which has no user interface."""
    parts = urlsplit(organisation_url)
    return organisation_url.replace(".api.crm", ".crm", 1) if ".api.crm" in parts.netloc else organisation_url
