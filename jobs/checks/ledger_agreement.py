"""Checks the tables of the store against the ledger (ACC-06).

A difference matters where it could cause the deletion of what people kept or never approved. The ledger is
believed, the tables are not: anybody who can write the database can write a hold, an approval or a run, but
not an entry of them. A row that the ledger knows and that expired at the end of its term protects nothing any
more, and is not missed."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from jobs.erasures.register import refuse_if_behind
from jobs.ledger.entries import LedgerEntry, StoreAltered
from jobs.ledger.heads import CRMS, HOLDS, KEYS, PLANS, QUARANTINE, REQUESTS, RUNS, SWITCH
from jobs.ledger.plan_lines import is_unaltered
from jobs.model.plan import Approval, LinesRemoved, Plan
from jobs.model.request import FROZEN, KEEP, SubjectRequest
from jobs.model.run import COUNTED, Run
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from rules.dates.calendar import Calendar
from rules.hints import hint_to
from rules.holds.placements import PlacedHold
from rules.model.requests import Step

Reference = Callable[[str, str], str]
References = Callable[[str, str], tuple[str, ...]]
CLOSE_BY = timedelta(minutes=5)  # between the moment of an act and that of its entry


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which store and ledger differ. `is_grave`: by the table, something could go that by the
    ledger may not."""

    where: str
    what: str
    is_grave: bool = True


class Believed:
    """Compares keyed references with the rows that they are said to refer to. References by destroyed keys
    are left aside: nobody can check these any more."""

    def __init__(self, store: Store, references: References) -> None:
        self.references, self._store = references, store
        self._destroyed = _spans_of_destroyed_keys(store.ledger.strand(KEYS))

    @cached_property
    def told_of_plans(self) -> "ToldOfPlans":
        """What the ledger records about each plan."""
        return ToldOfPlans(self._store.ledger.strand(PLANS))

    def is_of(self, entry: LedgerEntry, reference: object, table: str, id: str) -> bool:
        """Return whether a reference in an entry is that of this row."""
        return reference in self.references(table, id) or any(first <= entry.seq < last for first, last in self._destroyed)


class ToldOfPlans:
    """The ledger's entries about plans, by plan; `cleared` is the digest of a head whose ids have had their
    day (ACC-07)."""

    def __init__(self, entries: Iterable[LedgerEntry]) -> None:
        self.made: dict[object, list[LedgerEntry]] = {}
        self.words: dict[object, list[LedgerEntry]] = {}
        self.cleared: dict[object, object] = {}
        for entry in entries:
            if entry.kind == "plans_cleared":
                heads = entry.data.get("plans")
                self.cleared |= {head["plan"]: head["document"] for head in heads} if isinstance(heads, list) else {}
            else:
                (self.made if entry.kind == "plan" else self.words).setdefault(entry.data.get("plan"), []).append(entry)


def refuse_altered(context: JobContext) -> None:
    """Refuse to plan, or to write, by tables that would let something go which by the ledger may not. Raises
    StoreAltered: naming the hold, request, run or unit."""
    store, believed = context.store, Believed(context.store, context.references)
    refuse(about_holds(store, believed, context.today))
    refuse(about_switch(store))
    refuse(about_marks(store, believed))
    refuse(about_requests(store, context.policy.calendar))
    refuse(about_runs(store))
    store.erasures.check()
    store.journal.check()
    store.statistics.check()
    refuse_if_behind(context)


def refuse_altered_head(store: Store, references: References, plan: Plan) -> None:
    """Refuse a plan of which head, approvals or rejection are not those of the ledger, before any of them is
    believed. Raises StoreAltered: saying what differs."""
    refuse(about_plan(store, Believed(store, references), plan))


def refuse_altered_plan(store: Store, references: References, plan: Plan) -> None:
    """Refuse a plan of which head, lines, approvals, rejection or run are not those of the ledger. Raises
    StoreAltered: saying what differs."""
    refuse_altered_head(store, references, plan)
    refuse(about_run_of(store, plan))
    try:
        is_whole = is_unaltered(plan, store.plans.pages(plan.id))
    except LinesRemoved:
        is_whole = False  # a plan that may still be applied has its lines
    refuse([] if is_whole else [Difference(f"plan {plan.id}", "the stored lines are not those of its digest")])


def refuse(differences: Iterable[Difference]) -> None:
    """Raise StoreAltered for the first grave difference."""
    for found in differences:
        if found.is_grave:
            raise StoreAltered(f"{found.where}: {found.what}", hint=hint_to("restore_altered"), where=found.where)


def differences(store: Store, references: References, day: date, calendar: Calendar) -> Iterator[Difference]:
    """Yield everything in which the tables differ from the ledger, except the lines of plans."""
    believed = Believed(store, references)
    yield from about_holds(store, believed, day)
    yield from about_switch(store)
    yield from about_marks(store, believed)
    yield from about_requests(store, calendar)
    yield from about_runs(store)
    yield from about_crms(store)
    yield from about_schedules(store)
    for plan in store.plans.all():
        yield from about_plan(store, believed, plan)


def about_crms(store: Store) -> Iterator[Difference]:
    """Yield the CRMs that the ledger knows as served, and the table does not. Which people the store believes
    does not depend on it: there the ledger counts too."""
    told = {str(entry.data.get("crm")) for entry in store.ledger.strand(CRMS) if entry.kind == "crm_seen"}
    for crm in sorted(told - store.crms.served()):
        yield Difference(crm, "the ledger knows that this CRM was served, the table does not", is_grave=False)


def about_schedules(store: Store) -> Iterator[Difference]:
    """Yield the schedules, kept to show what decided (ACC-01), whose text is not the one that plans and
    certificates name."""
    for version in store.policies.all():
        if _sha256(version.text) != version.digest:
            yield Difference(f"schedule {version.version[:60]}", "its text is not the one of its digest")


# -- holds ---------------------------------------------------------------------------------------------------


def hold_entry(hold: PlacedHold, reference: Reference) -> dict[str, object]:
    """Return what the ledger keeps of a hold: a keyed reference, codes and dates; no name, no basis."""
    return {
        "hold": hold.id,
        "ref": reference(hold.table, hold.row) if hold.row else None,
        "basis": reference("basis", _sha256(hold.basis)),
        "obtained_by": [reference("contact", contact) for contact in hold.obtained_by],
        **({"unseen": True} if hold.is_unseen else {}),
    } | _plain_facts(hold)


def about_holds(store: Store, believed: Believed, day: date) -> Iterator[Difference]:
    """Yield holds that are in force by the ledger and missing or different in the table. Then come those that
    the ledger does not know."""
    placed: dict[str, LedgerEntry] = {}
    released: set[str] = set()
    unseen: dict[str, bool] = {}
    for entry in store.ledger.strand(HOLDS):
        id = str(entry.data.get("hold"))
        if entry.kind == "hold_looked_up":
            unseen[id] = entry.data.get("found") is not True
        elif entry.kind in ("hold_placed", "hold_restated"):
            placed[id], unseen[id] = entry, entry.data.get("unseen") is True
        else:
            released.add(id)
    table = {hold.id: hold for hold in store.holds.all(unreleased=True)}
    for id, entry in placed.items():
        if id in released:
            continue
        hold = table.get(id)
        if hold is None:
            ends_on = entry.data.get("ends_on")
            if not isinstance(ends_on, str) or ends_on >= day.isoformat():
                yield Difference(f"hold {id}", "is in force by the ledger, and not by the table of holds")
        elif told := _about_hold(hold, entry, believed):
            yield Difference(f"hold {id}", f"is not as it was placed: {told}")
        elif unseen[id] is not hold.is_unseen:
            yield Difference(f"hold {id}", "its row was seen in the CRM by one of ledger and table alone", is_grave=False)
    for id in sorted(table.keys() - (placed.keys() - released)):
        what = "was released by the ledger, and not by the table of holds" if id in released else "is in no entry of the ledger"
        yield Difference(f"hold {id}", what, is_grave=False)


def _about_hold(hold: PlacedHold, entry: LedgerEntry, believed: Believed) -> str:
    data = entry.data
    for name, value in _plain_facts(hold).items():
        if data.get(name) != value:
            return name
    if hold.released_at is not None:
        return "released"
    if (data.get("ref") is None) != (not hold.row) or (hold.row and not believed.is_of(entry, data.get("ref"), hold.table, hold.row)):
        return "row"
    if "basis" in data and not believed.is_of(entry, data["basis"], "basis", _sha256(hold.basis)):
        return "basis"
    obtained_by = data.get("obtained_by", [])
    if not isinstance(obtained_by, list) or len(obtained_by) != len(hold.obtained_by):
        return "obtained_by"
    if not all(believed.is_of(entry, ref, "contact", one) for ref, one in zip(obtained_by, hold.obtained_by, strict=True)):
        return "obtained_by"
    return "" if "by" not in data or believed.is_of(entry, data["by"], "person", hold.placed_by) else "placed_by"


def _plain_facts(hold: PlacedHold) -> dict[str, object]:
    return {
        "type": hold.type.value,
        "table": hold.table,
        "everything": hold.everything,
        "conditions": [f"{condition.field}={'|'.join(condition.values)}" for condition in hold.conditions],
        "reason": hold.reason_code,
        "ends_on": None if hold.ends_on is None else hold.ends_on.isoformat(),
        "review_on": hold.review_on.isoformat(),
    }


# -- the kill switch, quarantine -----------------------------------------------------------------------------


def about_switch(store: Store) -> Iterator[Difference]:
    """Yield a kill switch that is set by the ledger and not by the table, or the other way round."""
    entries = store.ledger.strand(SWITCH)
    is_set = bool(entries) and entries[-1].kind == "stopped"
    if is_set != (store.kill_switch.stopped_since() is not None):
        what = "is set by the ledger, and not by the table" if is_set else "is set by the table, and not by the ledger"
        yield Difference("the kill switch", what, is_grave=is_set)


def about_marks(store: Store, believed: Believed) -> Iterator[Difference]:
    """Yield units whose days in quarantine differ from the ledger. A unit that the table has lost is marked
    again, which keeps it longer."""
    marks = store.quarantine.marks()
    if not marks:
        return
    last: dict[object, tuple[LedgerEntry, object, bool]] = {}
    for entry in store.ledger.strand(QUARANTINE):
        if entry.kind == "quarantine_undone":
            last[entry.data.get("unit")] = (entry, entry.data.get("until"), True)
            continue
        for unit in _list_of_units(entry):
            if entry.kind == "quarantined":
                last[unit.get("ref")] = (entry, unit.get("until"), False)
            else:
                last.pop(unit.get("ref"), None)
    for mark in marks:
        known = next((last[ref] for ref in believed.references(mark.table, mark.id) if ref in last), None)
        if known is None:
            yield Difference(f"quarantine of {mark.table} {mark.id}", "is in no entry of the ledger")
        elif known[1:] != (mark.until.isoformat(), mark.undone):
            yield Difference(f"quarantine of {mark.table} {mark.id}", f"ends on {mark.until.isoformat()}, by the ledger on {known[1]}")


# -- subject requests ----------------------------------------------------------------------------------------


def about_requests(store: Store, calendar: Calendar) -> Iterator[Difference]:
    """Yield requests in which the register differs from the ledger. These are requests pending by the ledger
    alone, which keep what may be about the person (HLD-08), and closed ones that lack what they continue to
    keep, or have another part in its place (R-073)."""
    opened: dict[str, LedgerEntry] = {}
    closed: dict[str, LedgerEntry] = {}
    kept: dict[str, LedgerEntry] = {}  # the last that says which part is kept
    expired: set[str] = set()
    totalled = 0
    for entry in store.ledger.strand(REQUESTS):
        if entry.kind == "requests_totalled":
            number = entry.data.get("requests")
            totalled += number if isinstance(number, int) else 0
        elif entry.data.get("step") == "open":
            opened[str(entry.data.get("request"))] = entry
        elif entry.data.get("step") in (Step.CLOSE.value, KEEP):
            kept[str(entry.data.get("request"))] = entry
            if entry.data.get("step") == Step.CLOSE.value:
                closed[str(entry.data.get("request"))] = entry
        elif entry.data.get("step") == "expire" and FROZEN in _list_of_parts(entry):
            expired.add(str(entry.data.get("request")))
    register = {request.id: request for request in store.requests.all()}
    missing = 0
    for id, entry in opened.items():
        request = register.get(id)
        if request is None:
            missing += 1
            if id not in closed or missing > totalled:
                yield Difference(f"request {id}", "is in the ledger, and not in the register")
            continue
        told = _about_request(request, entry, closed.get(id), calendar)
        if not told and id in closed and id not in expired:
            told = _about_part(closed[id], kept[id], store.requests.part_digest(id, FROZEN))
        if told:
            yield Difference(f"request {id}", told)
    for id in sorted(register.keys() - opened.keys()):
        yield Difference(f"request {id}", "is in no entry of the ledger", is_grave=False)


def _about_part(closed: LedgerEntry, kept: LedgerEntry, found: str | None) -> str:
    if found is None:
        return "keeps something by the ledger, and the part that says what is gone" if closed.data.get("keeps") is True else ""
    return "" if kept.data.get("kept", found) == found else "keeps something else by the ledger: another part was put in its place"


def _about_request(request: SubjectRequest, opened: LedgerEntry, closed: LedgerEntry | None, calendar: Calendar) -> str:
    if request.right.value != opened.data.get("right"):
        return "is for another right than at its receipt"
    if request.closed_at is None:
        return ""  # it keeps what it keeps
    if closed is None:
        return "is pending by the ledger, and closed by the register"
    is_same_day = calendar.day(request.closed_at) >= calendar.day(_at(closed) - CLOSE_BY)
    return "" if is_same_day else "was closed on another day by the ledger"


# -- plans and runs ------------------------------------------------------------------------------------------


def approval_entry(plan: Plan, word: Approval, reference: Reference) -> dict[str, object]:
    """Return what the ledger keeps of a person's approval: for which lines, in which role, when. The person
    is stored as a keyed reference."""
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "role": word.role,
        "approves": word.approves,
        "by": reference("person", word.who),
        "given_at": word.at.isoformat(),
        "comment": reference("comment", _sha256(word.comment)) if word.comment else None,
    }


def about_plan(store: Store, believed: Believed, plan: Plan) -> Iterator[Difference]:
    """Yield a plan whose head, approvals or rejection are not those of the ledger."""
    where = f"plan {plan.id}"
    told_of = believed.told_of_plans
    made = told_of.made.get(plan.id, [])
    if len(made) != 1:
        yield Difference(where, "is in no entry of the ledger")
        return
    data = made[0].data
    if data.get("digest") != plan.digest:
        yield Difference(where, "has other lines than in the ledger")
    digest, saved = store.plans.saved(plan.id)
    if "document" in data and told_of.cleared.get(plan.id, data["document"]) != digest:
        yield Difference(where, "its head is not what was stored: approvals needed, validity, totals or something else was changed")
    elif "document" not in data and bool(data.get("why")) != bool(plan.needed):
        yield Difference(where, "needs other approvals than in the ledger")
    words, told = plan.given[len(saved.given) :], told_of.words.get(plan.id, [])
    if plan.given[: len(saved.given)] != saved.given or len(words) != len(told):
        yield Difference(where, "has other approvals or rejections than in the ledger")
        return
    for word, entry in zip(words, told, strict=True):
        if not _is_word(plan, word, entry, believed):
            yield Difference(where, f"the word of a {word.role[:40]} is not the one in the ledger")


def _is_word(plan: Plan, word: Approval, entry: LedgerEntry, believed: Believed) -> bool:
    data = entry.data
    if (data.get("digest"), data.get("role"), data.get("approves")) != (plan.digest, word.role, word.approves):
        return False
    if "given_at" in data and data["given_at"] != word.at.isoformat():
        return False
    if abs(_at(entry) - word.at) > CLOSE_BY and "given_at" not in data:
        return False
    if data.get("comment") is not None and not believed.is_of(entry, data["comment"], "comment", _sha256(word.comment)):
        return False
    return believed.is_of(entry, data.get("by"), "person", word.who)


def about_run_of(store: Store, plan: Plan) -> Iterator[Difference]:
    """Yield a plan that has a run by the ledger and none by the table, or the other way round. A run begins,
    and continues, by what is intended."""
    run = store.runs.of_plan(plan.id)
    started = {entry.run for entry in store.ledger.strand(RUNS) if entry.kind == "run_started" and entry.data.get("plan") == plan.id}
    if started != ({run.id} if run is not None else set()):
        yield Difference(f"plan {plan.id}", "its run is not the one of the ledger")


def about_runs(store: Store) -> Iterator[Difference]:
    """Yield runs that the ledger does not know, or knows with other counts. The circuit breaker learns from
    runs what is usual (RET-24)."""
    started: dict[str, LedgerEntry] = {}
    ended: dict[str, LedgerEntry] = {}
    for entry in store.ledger.strand(RUNS):
        if entry.kind == "run_started" and not entry.data.get("plan"):
            continue  # a round: it carries out no plan, and has no row but this
        (started if entry.kind == "run_started" else ended)[entry.run or ""] = entry
    runs = store.runs.all()
    table = [run.id for run in reversed(runs)]
    known = set(table)
    for run in runs:
        where, begun = f"run {run.id}", started.get(run.id)
        if begun is None or begun.data.get("plan") != run.plan:
            yield Difference(where, "is in no entry of the ledger")
        elif "kind" in begun.data and begun.data["kind"] != run.kind.value:
            yield Difference(where, "is of another kind than in the ledger")
        elif run.is_over != (run.id in ended):
            yield Difference(where, "is over by the table, and not by the ledger" if run.is_over else "is over by the ledger")
        elif run.is_over and (told := _about_end(run, ended[run.id])):
            yield Difference(where, told)
    for lost in sorted(started.keys() - known):
        yield Difference(f"run {lost[:60]}", "is in the ledger, and not in the table of runs")
    if table != [run for run in started if run in known]:
        yield Difference("the table of runs", "has another order than the ledger")


def _about_end(run: Run, ended: LedgerEntry) -> str:
    if ended.data.get("state", run.state.value) != run.state.value:
        return "ended in another state by the ledger"
    told = {name: ended.data[name] for name in COUNTED if name in ended.data}
    return "has other counts than in the ledger" if any(run.counts.get(name) != number for name, number in told.items()) else ""


def _list_of_units(entry: LedgerEntry) -> Sequence[Mapping[str, object]]:
    units = entry.data.get("units")
    return [unit for unit in units if isinstance(unit, dict)] if isinstance(units, list) else []


def _list_of_parts(entry: LedgerEntry) -> Sequence[object]:
    parts = entry.data.get("parts")
    return parts if isinstance(parts, list) else []


def _spans_of_destroyed_keys(entries: Sequence[LedgerEntry]) -> Collection[tuple[int, int]]:
    """Return between which entries a register key was in use that has since been destroyed."""
    destroyed = {entry.data.get("key") for entry in entries if entry.kind == "key_destroyed"}
    if not destroyed:
        return ()
    spans: list[tuple[int, int]] = []
    first, current = 0, None
    for entry in entries:
        if entry.kind == "key_destroyed" or entry.data.get("kind") != "register":
            continue
        if current is not None and current in destroyed:
            spans.append((first, entry.seq))
        if entry.kind == "key_rotated" and current is None and entry.data.get("from") in destroyed:
            spans.append((first, entry.seq))
        first, current = entry.seq, entry.data.get("to", entry.data.get("key"))
    return spans


def _at(entry: LedgerEntry) -> datetime:
    return datetime.fromisoformat(entry.at)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
