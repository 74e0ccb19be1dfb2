"""What a run did, counted from its journal."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from connectors.interface.connector import Connector
from jobs.model.plan import Key
from jobs.model.run import CONTINUED, LOOSE, OF_UNITS, TECHNICAL, TRIM, UNACCOUNTED, Action, ActionState, RowWrite
from jobs.reading.out_of_reach import LONG_TERM
from rules.model.records import UnitKind

_STATE_IN_COUNTS = {ActionState.SKIPPED: "skipped", ActionState.PARTIAL: "partial", ActionState.FAILED: "failed"}
HALF_DONE = (ActionState.PARTIAL, ActionState.FAILED)  # of which rows may have gone all the same
RECORDINGS = (UnitKind.RECORDING, UnitKind.ATTACHMENT)


def counts_of(
    actions: Iterable[Action],
    kind_of: Callable[[Action], UnitKind],
    crm: Connector,
    there: Mapping[Key, Collection[tuple[str, str]]],
) -> dict[str, object]:
    """Return the counts of `apply`: units by outcome, rows by table of the CRM, and what reading back found.
    `kind_of` gives the kind of unit of an action. `there` are the rows, as (table,
    id), of half-done units that still exist: the others are deleted, and count. Rows that had been deleted
    before the run are not among its own, nor those that an earlier run has counted. A contact to trim has no
    line in a plan: where it is left, it is among `skipped`, `partial` or `failed`, and `not_trimmed` tells
    how many of each such contacts are."""
    skipped: Counter[str] = Counter()
    states: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    disposed: Counter[str] = Counter({"units": 0, "recordings": 0})
    flags: Counter[str] = Counter()
    by_category: Counter[str] = Counter()
    technical: Counter[str] = Counter()
    unaccounted: Counter[str] = Counter()
    not_trimmed: dict[str, Counter[str]] = {name: Counter() for name in OF_UNITS}
    left = masked = documents = 0
    for action in actions:
        left += len(action.still_there)
        if action.disposition == TRIM and action.state in _STATE_IN_COUNTS:
            not_trimmed[_STATE_IN_COUNTS[action.state]][action.code] += 1
            not_trimmed["technical"][action.cause] += action.code == TECHNICAL and action.state is ActionState.SKIPPED
        if action.state is ActionState.SKIPPED:
            skipped[action.code] += 1
            technical[action.cause] += action.code == TECHNICAL
            unaccounted.update(flag.removeprefix(UNACCOUNTED) for flag in action.flags if flag.startswith(UNACCOUNTED))
        elif action.state is not ActionState.DONE:
            states[action.state.value] += 1
            if action.state in HALF_DONE:
                rows.update(write.key(crm)[0] for write in _deleted(action, crm, there.get(action.key, ())))
        else:
            states[action.disposition] += bool(action.rows)
            flags.update(flag for flag in action.flags if flag not in (CONTINUED, LOOSE))
            rows.update(write.key(crm)[0] for write in _deleted(action, crm, ()))
            documents += sum(folder.files for folder in action.documents)
            masked += sum(write.mask is not None for write in action.rows)
            if (kind := kind_of(action)) is not UnitKind.CONTACT:
                disposed["recordings" if kind in RECORDINGS else "units"] += 1
                by_category.update(action.categories)
    return {
        "deleted": states["delete"],
        "anonymised": states["anonymise"],
        "trimmed": states[TRIM],
        "skipped": dict(sorted(skipped.items())),
        "partial": states["partial"],
        "failed": states["failed"],
        "verified": {"gone": sum(rows.values()), "masked": states[TRIM] + masked, "still_there": left},
        "rows": dict(sorted(rows.items())),
        "disposed": dict(disposed),
        "by_category": dict(sorted(by_category.items())),
        "flags": dict(sorted(flags.items())),
        **({"not_trimmed": found} if (found := _filled(not_trimmed)) else {}),
        **({"documents": documents} if documents else {}),
        **({"technical": causes} if (causes := {cause: number for cause, number in sorted(technical.items()) if number}) else {}),
        **({"unaccounted": dict(sorted(unaccounted.items()))} if unaccounted else {}),
    }


def _filled(counts: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    found = {name: {code: number for code, number in sorted(codes.items()) if number} for name, codes in counts.items()}
    return {name: codes for name, codes in found.items() if codes}


def _deleted(action: Action, crm: Connector, there: Collection[tuple[str, str]]) -> list[RowWrite]:
    left = {*there, *action.still_there, *action.counted}
    return [write for write in action.rows if write.operation == "delete" and write.key(crm) not in left]


def only_waits(action: Action) -> bool:
    """Return whether what an earlier run left of a unit waits, by design, for what it shares a row with in
    long-term retention."""
    return action.state is ActionState.PARTIAL and action.code == LONG_TERM and CONTINUED in action.flags


def has_failures(actions: Iterable[Action]) -> bool:
    """Return whether a run ends with failures: something half done, refused for a technical reason, or still
    there. What only waits is none."""
    return any(
        (action.state in HALF_DONE and not only_waits(action)) or action.still_there or action.code == TECHNICAL for action in actions
    )
