"""Says what would become of one unit now, and why, step by step."""

from collections.abc import Sequence

from connectors.interface.connector import Connector
from connectors.interface.rows import Among
from jobs.holds.active import active_holds
from jobs.model.plan import Key, PlanLine
from jobs.plans.draft import line_of
from jobs.plans.questions.explain_contact import explain_contact
from jobs.ports.context import JobContext
from jobs.reading.few_rows import PARTY_FIELDS, rows_anywhere
from jobs.reading.gather import FILE_ROWS, gather_units
from jobs.reading.row_kinds import RowKinds, UnitTables
from jobs.reading.units import Gathering, chained, is_anonymised
from rules.errors import NotFound, UsageError
from rules.law.decision_steps import explain_each
from rules.law.of_units import last_of
from rules.model.decisions import Flag, Step, with_flags
from rules.model.file_roles import FileRole
from rules.model.records import KINDS, RELATION_KINDS, Dossier, Fiche, Party, Unit, UnitKind, unit_kind
from rules.retention.recording_owners import GOES_ALONG, owner_of, with_owner
from rules.retention.relations import relation_terms

BELONGING = frozenset({UnitKind.ATTACHMENT.value, UnitKind.EMAIL.value})  # may be a unit by itself, and else goes with a file
_STAYS = "9999-12-31"  # later than each day on which something goes
FOLLOWS = "RET-05"  # the rule by which a row goes with what it belongs to
ANONYMISED, IN_ANONYMISED, IN_NOTHING, OUT_OF_SCOPE = "anonymised", "in_anonymised", "in_nothing", "out_of_scope"
OUTLIVING_ITS_FILE = "outlived"
# And those of 2.3 that a row in force is for.
UNIT_WORDS = tuple(kind.value for kind in UnitKind if kind not in (*RELATION_KINDS, UnitKind.OWN_TABLE, UnitKind.CONTACT))


def explain_unit(context: JobContext, table: str, row: str) -> tuple[PlanLine, list[Step]]:
    """Return the plan line of one unit as of now, and its trace. For a fiche of a dossier it is that of its
    dossier, of several the one that stays longest; for a row that is no unit by itself, such as a note, a
    call or a role, that of the last of what it belongs to. Raises UsageError: a table without units;
    NotFound: a row that does not exist, or is in no unit: it is anonymised (code `anonymised`), or what it
    belongs to is (`in_anonymised`) or is of no kind of the mapping (`out_of_scope`), or it belongs to nothing
    that ends (`in_nothing`)."""
    return _explain(context.on(context.today), table, row, frozenset())


def _explain(context: JobContext, table: str, row: str, below: frozenset[Key]) -> tuple[PlanLine, list[Step]]:
    """Return the same; `below` are rows that belong to this one, which lead to no unit if they come again."""
    connector = context.connector
    outside = [kind.value for kind in relation_terms(context.policy).units]
    words = [*UNIT_WORDS, *outside, *(kind.word for kind in connector.all_kinds.termed), UnitKind.CONTACT.value]
    kinds = RowKinds(connector, words)
    if table not in kinds:
        others = [kind.word for kind in connector.all_kinds.values() if kind.owner_fields and kind.word not in words]
        belonging = RowKinds(connector, others)
        if table in belonging:
            return _explain_owners(context, belonging.of(table, row), (table, row), below)
        mapped = (table for word in words if connector.has(KINDS[word]) for table in connector.tables(KINDS[word]))
        raise UsageError("this table has no units", hint=f"one of: {', '.join(dict.fromkeys(mapped))}", where=table[:64])
    kind = unit_kind(kinds.of(table, row))
    if kind is UnitKind.CONTACT:
        return explain_contact(context, table, row)
    asked, is_live_fiche, dossiers, retaining = row, False, list[str](), None
    if kind is UnitKind.FICHE:
        retaining = connector.retaining(FILE_ROWS)
        fiches = rows_anywhere(connector, Fiche, ("dossier", "anonymised_on"), Among("id", [row]), retaining)
        if fiches and fiches[0].dossier is not None:
            kind, row, dossiers = UnitKind.DOSSIER, fiches[0].dossier, sorted(fiches[0].dossiers)
            is_live_fiche = fiches[0].anonymised_on is None
    gathering = gather_units(connector, {kind: dossiers or [row]}, retaining)
    found = [unit for unit in gathering.every_unit() if unit.kind is kind and unit.id in (dossiers or [row])]
    live = [unit for unit in found if not is_anonymised(unit)]
    if not live and not found and kind.value in BELONGING:
        return _explain_owners(context, kind.value, (table, row), below)
    if not live:
        is_beyond = not found and (row in gathering.beyond or (asked != row and bool(connector.out_of_scope(Dossier, [row]))))
        raise _in_no_unit(f"{table} {asked[:64]}", is_there=bool(found), is_live_fiche=is_live_fiche, is_beyond=is_beyond)
    several = live if len(dossiers) > 1 else []
    line, steps = _explain_last(context, gathering, next((each for each in live if each.id == row), live[0]), several)
    if several:
        steps.insert(0, Step("RET-01", {"dossiers": dossiers}, f"the fiche goes with the last of them, {line.id}"))
    return line, steps


def _explain_last(context: JobContext, gathering: Gathering, unit: Unit, several: Sequence[Unit]) -> tuple[PlanLine, list[Step]]:
    """Return the plan line and the trace of a unit; where it is one of the `several` dossiers of a fiche,
    those of the one that stays longest."""
    connector, day = context.connector, context.today
    holds = active_holds(context, day)
    chain = chained(several)
    last = last_of([chain, *chain.above()] if chain is not None else [], context.policy, holds, day)
    unit = next((each for each in several if last is not None and each.id == last.id), unit)
    files = {file.id: file for file in gathering.every_unit() if file.kind in (UnitKind.DOSSIER, UnitKind.FICHE)}
    owners = [files[owner]] if (owner := owner_of(unit)) else []
    (decision, steps), *of_owners = explain_each([unit, *owners], context.policy, holds, day)
    if shares_child(connector, unit, gathering):
        decision = with_flags(decision, Flag.POSSIBLE_DUPLICATE)
    if gathering.lies_in_retention(unit):
        decision = with_flags(decision, Flag.LONG_TERM_RETENTION)
    for followed, _ in of_owners:
        decision = with_owner(decision, followed)
        steps.append(Step(GOES_ALONG, {"owner": followed.disposition.value}, decision.disposition.value))
    return line_of(UnitTables(connector).of(unit), unit.id, unit.etag, decision, context.policy.version), steps


def _in_no_unit(where: str, *, is_there: bool, is_live_fiche: bool, is_beyond: bool) -> NotFound:
    """Return why a row is in no unit. One that `is_there` is anonymised, or is a live fiche of a dossier that
    is; one that `is_beyond` belongs to what is out of scope."""
    if is_there and is_live_fiche:
        return NotFound(
            "this fiche is in no unit: it is not anonymised, and its dossier is",
            hint="move it to another dossier or to none, or delete it, in the CRM: no plan looks at it",
            where=where,
            code=IN_ANONYMISED,
        )
    if is_there:
        hint = "nothing happens to it any more (ERA-07)"
        return NotFound("this row is anonymised, so it is not a unit", hint=hint, where=where, code=ANONYMISED)
    if is_beyond:
        return NotFound(
            "this row is in no unit: what it belongs to is of no kind of the mapping, or of none with which it goes",
            hint="map the table of that, or the lookup to it, or see to the conditions under only; else it stays (R-161)",
            where=where,
            code=OUT_OF_SCOPE,
        )
    hint = "its id stands in the address of its page in the CRM; rows already anonymised are not units"
    return NotFound("there is no such unit", hint=hint, where=where)


def _explain_owners(context: JobContext, word: str, of: Key, below: frozenset[Key]) -> tuple[PlanLine, list[Step]]:
    """Return what becomes of the last of that with which a row goes that is no unit by itself; a first step
    says so. Raises NotFound: there is no such row, or it goes with nothing."""
    connector, where = context.connector, f"{of[0]} {of[1][:64]}"
    kind, record = connector.all_kinds[word], KINDS[word]
    rows = rows_anywhere(connector, record, connector.all_kinds.links[word], Among("id", [of[1]]), connector.retaining((record,)))
    if not rows:
        raise NotFound("there is no such unit", hint="its id stands in the address of its page in the CRM", where=where)
    # Somebody's part in a file goes with the file: without one it stays, and whoever has it too.
    owners = [(word, owner) for word, owner in kind.owners(rows[0]) if word != kind.part_of and connector.has(KINDS[word])]
    found: list[tuple[PlanLine, list[Step]]] = []
    refused: NotFound | None = None
    for above, owner, table in [(each, owner, table) for each, owner in owners for table in connector.tables(KINDS[each])]:
        if (table, owner) in below:
            continue
        try:
            line, steps = _explain(context, table, owner, below | {of})
        except NotFound as error:
            refused = error if error.code in (ANONYMISED, IN_ANONYMISED, OUT_OF_SCOPE) else refused
            continue
        found.append((line, [Step(FOLLOWS, {"belongs_to": f"{above} {owner}"}, f"it goes with {line.table} {line.id}"), *steps]))
    if found:
        return max(found, key=lambda each: (each[0].retention_end or "") if each[0].is_disposal else _STAYS)
    if refused is not None and refused.code == OUT_OF_SCOPE:
        raise refused
    if refused is not None:
        raise NotFound(
            "this row is in no unit: what it belongs to is anonymised",
            hint="move it to its file, or delete it, in the CRM: no plan looks at it (ERA-07)",
            where=where,
            code=IN_ANONYMISED,
        ) from refused
    if kind.emptied and not owners:
        raise NotFound(
            "this row belongs to nothing: rows of its table stay, emptied, when their file goes",
            hint="nothing happens to one that is empty; tie one that is not to its file, in the CRM: no plan looks at it",
            where=where,
            code=OUTLIVING_ITS_FILE,
        )
    raise NotFound(
        "this row goes with nothing: it belongs to no row that has a term, so it stays until somebody deletes it",
        hint="tie it to its file, or delete it, in the CRM: no plan looks at it",
        where=where,
        code=IN_NOTHING,
    )


def shares_child(connector: Connector, unit: Unit, gathering: Gathering) -> bool:
    """Return whether a contact is the child of another dossier too (A-25). Whether two contacts have one
    register number only a plan can tell, which reads all of them."""
    if unit.kind is not UnitKind.DOSSIER:
        return False
    children = {child.id for child in unit.children if child is not None}
    if not children:
        return False
    among = Among("contact", sorted(children))
    roles = [row for row in rows_anywhere(connector, Party, PARTY_FIELDS, among, gathering.may_lie_there) if row.role == FileRole.CHILD]
    own = {fiche.id for fiche in unit.fiches}
    dossiers, fiches = {row.dossier for row in roles} - {None, unit.id}, {row.fiche for row in roles} - {None, *own}
    if not dossiers and not fiches:
        return False
    wanted = {UnitKind.DOSSIER: sorted(filter(None, dossiers)), UnitKind.FICHE: sorted(filter(None, fiches))}
    others = gather_units(connector, wanted, gathering.may_lie_there).dossiers
    return any(child is not None and child.id in children for other in others.values() if other.id != unit.id for child in other.children)
