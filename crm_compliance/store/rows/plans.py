"""Plans in the database: the head as one document, the lines page by page, each person's approval as its own
row."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from crm_compliance.store.rows import waiting_units
from crm_compliance.store.rows.transactions import Rows
from crm_compliance.store.sql.documents import Altered, decoded
from crm_compliance.store.sql.tables import approvals, plan_pages, plans
from jobs.model.plan import Approval, LinesRemoved, Plan
from rules.errors import NotFound, Refused
from rules.hints import hint_to

if TYPE_CHECKING:
    from jobs.model.plan import Kind
    from jobs.model.work_queue import QueueMoves
    from jobs.ports.store.ledger import Entry

AT_ONCE: Final = 25  # heads that are read at once: some are large
IN_A_QUERY: Final = 500  # ids that one query names
# Built once: every command and page about plans asks for these.
_ONE = plans.c.id == bindparam("of")
_PAGE = select(plan_pages.c.content).where(plan_pages.c.plan == bindparam("of"), plan_pages.c.page == bindparam("number"))
_LOCK = select(plans.c.id).where(_ONE).with_for_update()
_HEAD = select(plans.c.doc, plans.c.applied).where(_ONE)
_ALL = select(plans.c.id, plans.c.doc, plans.c.applied).order_by(plans.c.position.desc())
_APPLIED = update(plans).where(_ONE).values(applied=True)
_APPROVALS = select(approvals.c.plan, approvals.c.doc).order_by(approvals.c.position)
_APPROVALS_OF = _APPROVALS.where(approvals.c.plan.in_(bindparam("among", expanding=True)))


class Plans(Rows):
    """What `jobs.ports.store.plans.PlanStore` asks."""

    def save(self, plan: Plan, pages: Iterable[bytes], entry: Entry, queue: QueueMoves | None = None) -> None:
        """Store a plan with its lines. `pages` is consumed inside the transaction, one at a time: a plan need
        not fit in memory."""
        with self._transactions.writing([entry]) as connection:
            row = {"id": plan.id, "kind": plan.kind.value, "applied": plan.applied, "pages": 0, "doc": plan.document}
            connection.execute(insert(plans), row)
            count = 0
            for content in pages:
                connection.execute(insert(plan_pages), {"plan": plan.id, "page": count, "content": content})
                count += 1
            connection.execute(update(plans).where(plans.c.id == plan.id).values(pages=count))
            for approval in plan.given:
                _insert_approval(connection, plan.id, approval)
            if queue is not None:
                waiting_units.move_undecided(connection, queue)

    def get(self, plan: str) -> Plan:
        with self._transactions.reading() as connection:
            return _read_plan(connection, plan)

    def saved(self, plan: str) -> tuple[str, Plan]:
        with self._transactions.reading() as connection:
            return read_saved(connection, plan)

    def all(self) -> list[Plan]:
        with self._transactions.reading() as connection:
            return read_plans(connection)

    def newest(self, kinds: Collection[Kind] = (), *, is_applied: bool | None = None, before: str = "") -> Iterator[Plan]:
        """Yield plans, newest first; no connection stays open between two of them."""
        query = select(plans.c.position, plans.c.id, plans.c.doc, plans.c.applied).order_by(plans.c.position.desc()).limit(AT_ONCE)
        if kinds:
            query = query.where(plans.c.kind.in_([kind.value for kind in kinds]))
        if is_applied is not None:
            query = query.where(plans.c.applied == is_applied)
        if before:
            query = query.where(plans.c.position < select(plans.c.position).where(plans.c.id == before).scalar_subquery())
        page = query
        while True:
            with self._transactions.reading() as connection:
                rows = connection.execute(page).all()
                given = _approvals_of(connection, [row.id for row in rows])
            yield from (_decoded(row.doc, row.applied, given.get(row.id, ())) for row in rows)
            if len(rows) < AT_ONCE:
                return
            page = query.where(plans.c.position < rows[-1].position)

    def approvals(self, plans: Collection[str]) -> dict[str, list[Approval]]:
        wanted, found = list(plans), {}
        with self._transactions.reading() as connection:
            for at in range(0, len(wanted), IN_A_QUERY):
                found.update(_approvals_of(connection, wanted[at : at + IN_A_QUERY]))
        return found

    def pages(self, plan: str) -> Iterator[bytes]:
        """Return the pages of a plan. No connection stays open between two: a reader may take its time. A
        plan without lines would look like a plan with nothing to do, and one with fewer than were stored like
        one with less to do."""
        with self._transactions.reading() as connection:
            count = connection.execute(select(plans.c.pages).where(plans.c.id == plan)).scalar()
            if count is None:
                raise _unknown()
            if count and connection.execute(select(plan_pages.c.page).where(plan_pages.c.plan == plan).limit(1)).scalar() is None:
                hint = "make a new plan; if this one is still valid, restore the database from a backup and tell the DPO"
                raise LinesRemoved("the lines of this plan are not there; they are removed once it has expired", hint=hint, where=plan)
        return (self._page(plan, page) for page in range(count))

    def _page(self, plan: str, page: int) -> bytes:
        with self._transactions.reading() as connection:
            content = connection.execute(_PAGE, {"of": plan, "number": page}).scalar()
        if content is None:
            raise Altered(f"page {page} of the lines is gone", hint="restore the database from a backup and tell the DPO", where=plan)
        return bytes(content)

    def approve(self, plan: str, approval: Approval, entry: Entry) -> Plan:
        """Add an approval or rejection, with the plan's row locked meanwhile: what others say at the same
        moment counts, and the same person from another window. Raises Refused: as `Plan.refuse_uncounted`."""
        with self._transactions.writing([entry]) as connection:
            _lock(connection, plan)
            before = _read_plan(connection, plan)
            before.refuse_uncounted(approval)
            _insert_approval(connection, plan, approval)
        return msgspec.structs.replace(before, given=(*before.given, approval))


def refuse_rejected(connection: Connection, plan: str) -> None:
    """Refuse to begin a run of a plan that somebody has rejected. Nobody can, from here on until the run is
    there."""
    _lock(connection, plan)
    if any(not approval.approves for approval in _approvals(connection, plan)):
        raise Refused("the plan was rejected", hint="make a new plan", where=plan)


def _lock(connection: Connection, plan: str) -> None:
    connection.execute(_LOCK, {"of": plan})


def _read_plan(connection: Connection, plan: str) -> Plan:
    row = connection.execute(_HEAD, {"of": plan}).first()
    if row is None:
        raise _unknown()
    return _decoded(row.doc, row.applied, _approvals(connection, plan))


def read_saved(connection: Connection, plan: str) -> tuple[str, Plan]:
    """Return the SHA-256 of the stored head, in lower-case hex, and the plan as that document has it. The
    plan has the approvals of that time."""
    doc: str | None = connection.execute(_HEAD, {"of": plan}).scalar()
    if doc is None:
        raise _unknown()
    return hashlib.sha256(doc.encode(errors="replace")).hexdigest(), decoded(doc, Plan, "a plan")


def replace_head(connection: Connection, plan: Plan) -> str:
    """Write the head of a plan again, as `read_saved` gave it but without what has expired. Return its digest
    as `read_saved` would."""
    doc = plan.document
    connection.execute(update(plans).where(plans.c.id == plan.id).values(doc=doc))
    return hashlib.sha256(doc.encode(errors="replace")).hexdigest()


def replace_approvals(connection: Connection, plan: Plan) -> None:
    """Write what people said on a plan again, without what has expired."""
    connection.execute(delete(approvals).where(approvals.c.plan == plan.id))
    for approval in plan.given:
        _insert_approval(connection, plan.id, approval)


def read_plans(connection: Connection) -> list[Plan]:
    given = _approvals_of(connection)
    found = connection.execute(_ALL)
    return [_decoded(row.doc, row.applied, given.get(row.id, ())) for row in found]


def mark_applied(connection: Connection, plan: str) -> None:
    connection.execute(_APPLIED, {"of": plan})


def _insert_approval(connection: Connection, plan: str, approval: Approval) -> None:
    doc = msgspec.json.encode(approval).decode()
    row = {"plan": plan, "who": approval.who, "role": approval.role, "approves": approval.approves, "doc": doc}
    connection.execute(insert(approvals), row)


def _approvals(connection: Connection, plan: str) -> list[Approval]:
    return _approvals_of(connection, [plan]).get(plan, [])


def _approvals_of(connection: Connection, among: Collection[str] | None = None) -> dict[str, list[Approval]]:
    """Return people's approvals and rejections by plan, of these plans or of all."""
    given: dict[str, list[Approval]] = {}
    for row in connection.execute(_APPROVALS) if among is None else connection.execute(_APPROVALS_OF, {"among": list(among)}):
        given.setdefault(row.plan, []).append(decoded(row.doc, Approval, f"an approval of {row.plan}"))
    return given


def _decoded(doc: str, applied: bool, given: Sequence[Approval]) -> Plan:
    """Return the document as it was saved, with what happened to the plan since."""
    return msgspec.structs.replace(decoded(doc, Plan, "a plan"), applied=applied, given=tuple(given))


def _unknown() -> NotFound:
    return NotFound("there is no such plan", hint=hint_to("list_plans"))
