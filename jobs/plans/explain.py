"""Says what would become of one unit now, and why, step by step."""

from collections.abc import Collection

from connectors.interface.rows import Among
from jobs.holds.active import active_holds
from jobs.model.plan import PlanLine
from jobs.plans.draft import line_of
from jobs.ports.context import JobContext
from jobs.reading.gather import CONTACT_FIELDS, PARTY_FIELDS, TIES, add_relations, gather_units, rows_anywhere
from jobs.reading.relations import Relations, relations_after
from jobs.reading.row_kinds import RowKinds, UnitTables
from jobs.reading.units import Gathering, chained
from jobs.writing.deletion_order import participations
from rules.errors import NotFound, UsageError
from rules.law.decisions import decisions, last_of
from rules.law.steps import explain
from rules.model.decisions import Decision, Disposition, Flag, Reason, Step, with_flags
from rules.model.records import KINDS, Call, Contact, Email, Fiche, Party, UnitKind, unit_kind
from rules.retention.contacts import ContactFacts, contact_decision, settle_contacts
from rules.retention.owners import GOES_ALONG, owner_of, with_owner
from rules.retention.relations import RelationTerms, relation_terms

UNIT_WORDS = (UnitKind.DOSSIER.value, "fiche", "recording", "note", "email")  # and those of 2.3 that a row in force is for


def explain_unit(context: JobContext, table: str, row: str) -> tuple[PlanLine, list[Step]]:
    """Return the plan line of one unit as of now, and its trace. For a fiche of a dossier it is that of its
    dossier, of several the one that stays longest. Raises UsageError: a table without units, or a row that
    does not exist or is not a unit."""
    context = context.on(context.today)
    connector = context.connector
    outside = [kind.value for kind in relation_terms(context.policy).units]
    words = [*UNIT_WORDS, *outside, *(kind.word for kind in connector.all_kinds.termed), UnitKind.CONTACT.value]
    kinds = RowKinds(connector, words)
    if table not in kinds:
        mapped = (table for word in words if connector.has(KINDS[word]) for table in connector.tables(KINDS[word]))
        raise UsageError("this table has no units", hint=f"one of: {', '.join(dict.fromkeys(mapped))}", where=table[:64])
    kind = unit_kind(kinds.of(table, row))
    if kind is UnitKind.CONTACT:
        return _explain_contact(context, table, row)
    dossiers: list[str] = []
    if kind is UnitKind.FICHE:
        found = rows_anywhere(connector, Fiche, ("dossier",), Among("id", [row]), connector.retaining((Fiche,)))
        if found and found[0].dossier is not None:
            kind, row, dossiers = UnitKind.DOSSIER, found[0].dossier, sorted(found[0].dossiers)
    gathering = gather_units(connector, {kind: dossiers or [row]})
    day = context.today
    unit = next((unit for unit in gathering.every_unit() if unit.kind is kind and unit.id == row), None)
    several = [each for each in gathering.every_unit() if each.kind is kind and each.id in dossiers] if len(dossiers) > 1 else []
    if unit is None:
        raise NotFound(
            "there is no such unit",
            hint="ids are lower case, without braces; rows already anonymised are no units",
            where=f"{table} {row[:64]}",
        )
    holds = active_holds(context, day)
    chain = chained(several)
    last = last_of([chain, *chain.above()] if chain is not None else [], context.policy, holds, day)
    unit = next((each for each in several if last is not None and each.id == last.id), unit)
    decision, steps = explain(unit, context.policy, holds, day)
    if several:
        steps.insert(0, Step("RET-01", {"dossiers": dossiers}, f"the fiche goes with the last of them, {unit.id}"))
    if gathering.lies_in_retention(unit):
        decision = with_flags(decision, Flag.LONG_TERM_RETENTION)
    if owner := owner_of(unit):
        files = {file.id: file for file in gathering.every_unit() if file.kind in (UnitKind.DOSSIER, UnitKind.FICHE)}
        (followed,) = decisions([files[owner]], context.policy, holds, day)
        decision = with_owner(decision, followed)
        steps.append(Step(GOES_ALONG, {"owner": followed.disposition.value}, decision.disposition.value))
    return line_of(UnitTables(connector).of(unit), unit.id, unit.etag, decision, context.policy.version), steps


def _explain_contact(context: JobContext, table: str, row: str) -> tuple[PlanLine, list[Step]]:
    """Explain a contact, which has no term of its own. It is deleted with the last unit that refers to it,
    unless a relation remains (RET-04, RET-20)."""
    connector, day = context.connector, context.today
    lie = connector.retaining((Contact, Party, Call, Email, *(record for record, _, _ in TIES.values())))
    people = rows_anywhere(connector, Contact, CONTACT_FIELDS, Among("id", [row]), lie)
    if not people:
        raise NotFound("there is no such contact", where=f"{table} {row[:64]}")
    parties = rows_anywhere(connector, Party, PARTY_FIELDS, Among("contact", [row]), lie)
    taking = participations(connector, [row], lie).get(row, [])
    own = [kind.word for kind in connector.all_kinds.termed]
    in_dossiers = {party.dossier for party in parties} | {regarding for kind, regarding in taking if kind == "dossier"}
    in_fiches = {party.fiche for party in parties} | {regarding for kind, regarding in taking if kind == "fiche"}
    wanted = {
        UnitKind.DOSSIER: sorted(found for found in in_dossiers if found is not None),
        UnitKind.FICHE: sorted(found for found in in_fiches if found is not None),
        UnitKind.OWN_TABLE: sorted({row for kind, row in taking if kind in own and row is not None}),
    }
    gathering = gather_units(connector, wanted)
    gathering.contacts[row] = people[0]
    children = rows_anywhere(connector, Contact, ("parent", "parent_kind"), Among("parent", [row]), lie)
    terms = relation_terms(context.policy)
    add_relations(connector, gathering, progress=context.progress, among=Among("contact", [row]), terms=terms, lie=lie)
    for kind, regarding in taking:
        gathering.take_part(row, gathering.hook_of(kind, regarding))
    holds = active_holds(context, day)
    units = list(gathering.every_unit())
    decided = list(zip(units, decisions(units, context.policy, holds, day), strict=True))
    # Contacts that point here, and those whose activities it takes part in, are not judged themselves: they
    # count as staying.
    gathering.contacts.update((child.id, child) for child in children)
    about = {regarding for regarding, _ in gathering.about if regarding != row}
    gathering.contacts.update((other, Contact(id=other)) for other in about if other not in gathering.contacts)
    for other in [*about, *(child.id for child in children)]:
        gathering.take_part(other, None)
    going = {unit.id for unit, verdict in decided if verdict.is_disposal}
    relations = relations_after(gathering, going, day=day, terms=terms)
    held = holds.on_rows([("contact", row)])
    verdicts = settle_contacts(_facts(gathering, going, relations, terms, held=(row,) if held else ()))
    kept = Decision(Disposition.KEEP, held, None, (), (), "HLD-04") if held else None
    decision = contact_decision(row, verdicts) or kept or Decision(Disposition.KEEP, (Reason.NOT_EXPIRED,), None, (), (), "RET-20")
    tables = UnitTables(connector)
    refer: dict[str, object] = {f"{tables.of(unit)} {unit.id}": verdict.reason.value for unit, verdict in decided}
    related = bool(relations.lasting) or bool(people[0].newsletter) or people[0].parent_kind == "account"
    steps = [
        Step("RET-20", refer, f"{sum(1 for _, verdict in decided if not verdict.is_disposal)} units that stay refer to this contact"),
        Step("RET-20", {"contacts_that_point_here": len(children), "activities_about_others": len(about)}, "count as staying"),
        Step("HLD-04", {"contact": "its own row"}, [reason.value for reason in held]),
        Step("RET-20", {"relation": related}, "trimmed" if row in verdicts.trim else decision.disposition.value),
    ]
    return line_of(table, row, people[0].etag, decision, context.policy.version), steps


def _facts(found: Gathering, going: Collection[str], relations: Relations, terms: RelationTerms, *, held: Collection[str]) -> ContactFacts:
    """Return who refers to whom once the units of these ids are deleted."""
    places = list(zip(found.people, found.places, strict=True))
    leaving = {person for person, unit in places if unit is not None and unit.id in going}
    lapsed = relations.lapsed
    if not terms.are_off:  # an activity about a gift says nothing of the missions: the end of a relation is no reason to trim
        lapsed = lapsed | leaving
        leaving = {person for person, unit in places if unit is not None and unit.id in going and unit.relation is None}
    return ContactFacts(
        contacts=found.contacts,
        kept={person for person, unit in places if unit is None or unit.id not in going},
        going=leaving,
        about=found.about,
        relations=relations.lasting,
        lapsed=lapsed,
        held=frozenset(held),
    )
