"""Who has which roles, and what the roles let them do. A user's rights are put together once and remembered
until something changes that they rest on."""

from dataclasses import dataclass
from typing import Any

from connectors.emulator.schema.environment import ROOT_UNIT, metadata_id
from connectors.emulator.schema.many_to_many import ManyToMany
from connectors.emulator.schema.privileges import DEPTHS, SYSTEM_ADMINISTRATOR, Privilege, catalogue
from connectors.emulator.storage.associations import Associations
from connectors.emulator.storage.load import load_rows
from connectors.emulator.storage.tables import Tables

GLOBAL = DEPTHS["Global"]
_ROLES = """
SELECT roleid FROM systemuserroles WHERE systemuserid = :user UNION
SELECT roleid FROM teamroles JOIN teammembership ON teamroles.teamid = teammembership.teamid WHERE systemuserid = :user"""
_PROFILES = """
SELECT fieldsecurityprofileid FROM systemuserprofiles WHERE systemuserid = :user UNION
SELECT fieldsecurityprofileid FROM teamprofiles JOIN teammembership ON teamprofiles.teamid = teammembership.teamid
WHERE systemuserid = :user"""
_UNITS = """
WITH RECURSIVE below(id) AS (
  SELECT :unit UNION SELECT businessunitid FROM businessunit JOIN below ON parentbusinessunitid = below.id
) SELECT id FROM below"""
_GRANTS = "SELECT privilegeid, max(privilegedepthmask) FROM roleprivileges WHERE roleid IN ({}) GROUP BY privilegeid"
_FIELDS = """
SELECT entityname, attributelogicalname, max(canread), max(cancreate), max(canupdate)
FROM fieldpermission WHERE fieldsecurityprofileid IN ({}) GROUP BY 1, 2"""


@dataclass(frozen=True)
class Fields:
    """What a field security profile allows on one secured column."""

    read: bool = False
    create: bool = False
    update: bool = False


@dataclass(frozen=True)
class Rights:
    """What one user may do: the widest depth of each privilege, over all roles and teams."""

    user: str
    member: bool  # of the organisation, and not disabled
    application: bool
    administrator: bool
    roles: tuple[str, ...]
    unit: str
    units: tuple[str, ...]  # the business unit and those under it
    teams: tuple[str, ...]
    depths: dict[str, int]  # name of the privilege -> depth mask
    fields: dict[tuple[str, str], Fields]  # table and column

    def depth(self, privilege: str) -> int:
        """Return the depth; 0 for none."""
        return GLOBAL if self.administrator else self.depths.get(privilege, 0)


class Roles:
    """Reads and changes who may do what."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._associations = Associations(tables)
        self._rights: dict[str, Rights] = {}
        self.told: dict[str, list[dict[str, Any]]] = {}  # what a user's privileges were answered with
        self._catalogue: dict[str, Privilege] = {}
        self._names: dict[str, str] = {}  # by id
        self._stamp: str | None = None
        self._generation: int | None = None  # of the schema that the catalogue is of

    def relation(self, name: str) -> ManyToMany:
        return next(relation for relation in self.tables.environment.many_to_many if relation.name == name)

    # -- reading ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Forget what was remembered if what it rests on changed; a new table brings new privileges."""
        stamp, generation = self.tables.security_stamp(), self.tables.environment.generation
        if generation != self._generation:
            self._catalogue = catalogue(self.tables.environment)
            self._names = {privilege.id: name for name, privilege in self._catalogue.items()}
        if (stamp, generation) != (self._stamp, self._generation):
            self._rights.clear()
            self.told.clear()
            self._stamp, self._generation = stamp, generation

    @property
    def catalogue(self) -> dict[str, Privilege]:
        """Every privilege by its name."""
        self._refresh()
        return self._catalogue

    def rights(self, user: str) -> Rights:
        self._refresh()
        found = self._rights.get(user)
        if found is None:
            found = self._rights[user] = self._read(user)
        return found

    def _read(self, user: str) -> Rights:
        run, bound = self.tables.connection.execute, {"user": user}
        table = self.tables.environment.tables["systemuser"]
        row = self.tables.stored(table, user, ["isdisabled", "businessunitid", "applicationid"])
        unit = (row or {}).get("businessunitid") or ROOT_UNIT
        roles = tuple(role for (role,) in run(_ROLES, bound))
        return Rights(
            user=user,
            member=row is not None and not row["isdisabled"],
            application=row is not None and row["applicationid"] is not None,
            administrator=SYSTEM_ADMINISTRATOR in roles,
            roles=roles,
            unit=unit,
            units=tuple(each for (each,) in run(_UNITS, {"unit": unit})),
            teams=tuple(team for (team,) in run("SELECT teamid FROM teammembership WHERE systemuserid = :user", bound)),
            depths={self._names[each]: depth for each, depth in run(_GRANTS.format(_ROLES), bound) if each in self._names},
            fields={(t, c): Fields(*(bool(allowed) for allowed in may)) for t, c, *may in run(_FIELDS.format(_PROFILES), bound)},
        )

    def privileges_of(self, role: str) -> dict[str, int]:
        """Name and depth mask of each privilege of a role."""
        self._refresh()
        found = self.tables.connection.execute("SELECT privilegeid, privilegedepthmask FROM roleprivileges WHERE roleid = ?", (role,))
        return {self._names[each]: depth for each, depth in found if each in self._names}

    def by_id(self, privilege_id: str) -> Privilege | None:
        self._refresh()
        name = self._names.get(privilege_id)
        return self._catalogue[name] if name else None

    # -- changing --------------------------------------------------------------------------------------------

    def grant(self, role: str, privilege: Privilege, depth: int) -> None:
        self._associations.put(self.relation("roleprivileges_association"), role, privilege.id, privilegedepthmask=depth)

    def withdraw(self, role: str, privilege: Privilege) -> None:
        self.tables.delete_where(self.tables.environment.tables["roleprivileges"], {"roleid": role, "privilegeid": privilege.id})

    def withdraw_all(self, role: str) -> None:
        self._associations.clear(self.relation("roleprivileges_association"), role)

    def assign_only(self, user: str, role: str) -> None:
        """Assign the user this one role; roles held through teams stay."""
        relation = self.relation("systemuserroles_association")
        self._associations.clear(relation, user)
        self._associations.put(relation, user, role)

    def have_exactly(self, user: str, depths: dict[str, int]) -> None:
        """Assign the user one private role with exactly these privileges."""
        role, table = metadata_id("role", user), self.tables.environment.tables["role"]
        if not self.tables.exists(table, role):
            load_rows(self.tables, [("role", {"roleid": role, "name": f"Role of {user}", "businessunitid": ROOT_UNIT})])
        self.withdraw_all(role)
        privileges = self.catalogue
        for name, depth in depths.items():
            self.grant(role, privileges[name], depth)
        self.assign_only(user, role)
