"""Places holds. They are released, by another person, in release.py. Source: HLD-02, HLD-11, section 9.4,
ACC-10."""

from collections.abc import Collection, Mapping
from datetime import date

import msgspec

from connectors.interface.connector import Connector
from connectors.interface.errors import ConnectorError
from jobs.checks.denials import denied, refuse_role
from jobs.checks.drift.holds import hold_entry
from jobs.holds.look_up import missing
from jobs.ports.context import JobContext
from jobs.reading.row_kinds import RowKinds
from jobs.register.hold_texts import without_requests
from rules.errors import Refused, UsageError
from rules.hints import hint_to
from rules.holds.conditions import Condition, read_conditions
from rules.holds.placements import HoldType, PlacedHold, check_new
from rules.model.accounts import account
from rules.model.kinds import KINDS_IN_ORDER
from rules.model.records import KINDS, Fiche, UnitKind
from rules.model.roles import Act
from rules.policy.policy import Policy

# What can be written, and so held; a participant of an activity goes with the activity and cannot be named
# alone.
HOLDABLE = KINDS_IN_ORDER


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks to hold. That is one row of a table, everything of a person, or all that meets
    conditions on facts of a table's units. `obtained_by` are the contacts of the person who obtained a
    restriction, or has objected, `obtained_for` those among them of a child in whose name. With `even_unseen`
    it is placed also while the CRM does not answer, and says so: HLD-02 asks for one authorised person, and a
    run may begin before that person can ask again."""

    type: HoldType
    table: str = ""
    row: str = ""
    person: str = ""
    where: tuple[str, ...] = ()
    reason_code: str
    basis: str
    obtained_by: tuple[str, ...] = ()
    obtained_for: tuple[str, ...] = ()
    ends_on: date | None = None
    review_on: date
    even_unseen: bool = False


def place_hold(context: JobContext, wanted: Wanted, who: str, role: str) -> PlacedHold:
    """Place a hold at once, and return it; from the next write on it is looked at (HLD-02, HLD-07).

    Raises:
        Refused: another role than the DPO's, or a reason that is none (NOT_A_HOLD); both are recorded
            (ACC-10); or, with code `exists`, an id that there is.
        UsageError: an unknown table, row, contact, field or value, or a date that no hold may have.
        ConnectorError: whether the row is there could not be read, and nobody asked for it `even_unseen`;
            nothing is stored."""
    who, now, connector = account(who), context.clock(), context.connector
    day = context.day(now)
    data: dict[str, object] = {"type": wanted.type.value, "role": role, "by": context.reference("person", who)}
    refuse_role(context.store, who, role, Act.PLACE_HOLD, data)
    kind, conditions = _scope(connector, context.policy, wanted)
    hold = PlacedHold(
        id=context.new_id("hold"),
        type=wanted.type,
        kind=kind,
        table=wanted.table or connector.table(KINDS[kind]),
        row=wanted.person or wanted.row,
        everything=bool(wanted.person),
        conditions=conditions,
        reason_code=without_requests(context.store, context.reference, wanted.reason_code),
        basis=without_requests(context.store, context.reference, wanted.basis),
        obtained_by=wanted.obtained_by,
        obtained_for=wanted.obtained_for,
        placed_by=who,
        placed_at=now,
        ends_on=wanted.ends_on,
        review_on=wanted.review_on,
        crm=context.crm,
    )
    try:
        check_new(hold, day)
    except Refused as error:
        raise denied(context.store, Act.PLACE_HOLD, data, error) from None
    try:
        _refuse_missing(connector, hold, wanted)
    except ConnectorError:
        if not wanted.even_unseen:
            raise
        hold = msgspec.structs.replace(hold, is_unseen=True)
    context.store.holds.place(hold, ("hold_placed", hold_entry(hold, context.reference) | {"role": role, "by": data["by"]}))
    return hold


def without_categories(connector: Connector, hold: PlacedHold) -> tuple[str, ...]:
    """Return the tables whose fiches have no category of their own where a hold asks for one: each goes by
    those of its dossier, and is held where nothing says any."""
    if hold.kind != UnitKind.FICHE or not any(each.field == "category" for each in hold.conditions):
        return ()
    return tuple(connector.table(each) for each in connector.sources(Fiche) if "categories" not in connector.fields(each))


def _refuse_missing(connector: Connector, hold: PlacedHold, wanted: Wanted) -> None:
    """Refuse a hold on a row that is not there, or obtained by somebody who is not. Raises UsageError: with
    code `no_row`; ConnectorError: it could not be read."""
    lost = next(missing(connector, hold), None)
    if lost is not None and lost == hold.row:
        what = "there is no such contact" if wanted.person else "there is no such row"
        hint = "its id stands in the address of its page in the CRM"
        raise UsageError(what, hint=hint, where=f"{hold.table} {hold.row}", code="no_row")
    if lost is not None:
        hint = "its id stands in the address of its page in the CRM"
        raise UsageError("there is no such contact", hint=hint, where=f"contact {lost}", code="no_row")


def _scope(connector: Connector, policy: Policy, wanted: Wanted) -> tuple[str, tuple[Condition, ...]]:
    """Return the kind of record that a hold is on, and its conditions if it has any."""
    if wanted.person:
        if wanted.table or wanted.row or wanted.where:
            raise UsageError("a hold on a person names no row", hint=hint_to("leave_out_rows"), field="person")
        return "contact", ()
    holdable = (*HOLDABLE, *(each.word for each in connector.all_kinds.own))
    kinds = RowKinds(connector, holdable)
    try:
        kind = kinds.of(wanted.table, wanted.row) if wanted.table in kinds else ""
    except ConnectorError as error:
        if not wanted.even_unseen:
            raise
        hint = "hold everything of the person instead, or rows that meet conditions"
        raise UsageError("only the CRM tells which of several kinds a row of this table is", hint=hint, where=wanted.table) from error
    if not kind:
        what = "this table cannot be held" if wanted.table else "a hold on rows names their table"
        names = ", ".join(
            dict.fromkeys(table for word in holdable if connector.has(KINDS[word]) for table in connector.tables(KINDS[word]))
        )
        raise UsageError(what, hint=f"one of: {names}", where=wanted.table[:64], field="table")
    if bool(wanted.row) == bool(wanted.where):
        raise UsageError("a hold is on one row, or on what meets conditions", hint=hint_to("name_row_or_conditions"), field="where")
    if wanted.row:
        return kind, ()
    keys = keys_of(policy)
    return kind, read_conditions(kind, wanted.where, categories=keys["category"], outcomes=keys["outcome"])


def keys_of(policy: Policy) -> Mapping[str, Collection[str]]:
    """Return the keys that a condition may name, by its field, as the schedule knows them."""
    outcomes = {outcome for lines in policy.derive.values() for line in lines for outcome in line.outcomes or ()}
    return {"category": set(policy.derive), "outcome": outcomes}
