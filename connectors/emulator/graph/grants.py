"""Which application may do what in which site. Nobody has said anything: everybody may do everything."""

from typing import Any

READ, WRITE = "read", "write"
EVERYWHERE = {"Files.Read.All": READ, "Sites.Read.All": READ, "Files.ReadWrite.All": WRITE, "Sites.ReadWrite.All": WRITE}
SELECTED = "Sites.Selected"
ROLES = {READ, WRITE, "owner", "fullcontrol"}


class GrantProblem(Exception):
    """Grants that make no sense."""


class Grants:
    """The application permissions of each client id, and for `Sites.Selected` its role in each site."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[str, ...], dict[str, str]]] | None = None

    def clear(self) -> None:
        self._known = None

    def learn(self, document: Any) -> None:
        """Learn `{CLIENT ID: {"permissions": [NAME…], "sites": {SITE ADDRESS: ROLE}}}`; null: everybody
        again. Raises GrantProblem."""
        if document is None:
            self._known = None
            return
        if not isinstance(document, dict):
            raise GrantProblem("applications are an object: the client id of each and what it may")
        known = {}
        for client, given in document.items():
            permissions, sites = (given.get(name) for name in ("permissions", "sites")) if isinstance(given, dict) else (None, None)
            if not isinstance(permissions, list) or set(permissions) - {*EVERYWHERE, SELECTED}:
                raise GrantProblem(f"permissions are a list of {', '.join([*EVERYWHERE, SELECTED])}")
            if not isinstance(sites or {}, dict) or set((sites or {}).values()) - ROLES:
                raise GrantProblem(f"sites are an object: the address of each and one of {', '.join(sorted(ROLES))}")
            known[client.lower()] = (tuple(permissions), {address.rstrip("/").lower(): role for address, role in (sites or {}).items()})
        self._known = known

    def permissions(self, client: str) -> tuple[str, ...]:
        """Return the permissions that stand in a token of this application."""
        if self._known is None:
            return ("Sites.ReadWrite.All",)
        return self._known.get(client.lower(), ((), {}))[0]

    def may(self, client: str, site: str, *, write: bool) -> bool:
        """Return whether an application may read, or change, what is in the site at this address."""
        if self._known is None or not client:
            return True
        permissions, sites = self._known.get(client.lower(), ((), {}))
        role = sites.get(site.lower(), "") if SELECTED in permissions else ""
        levels = {EVERYWHERE[each] for each in permissions if each in EVERYWHERE} | ({READ if role == READ else WRITE} if role else set())
        return WRITE in levels or (not write and READ in levels)
