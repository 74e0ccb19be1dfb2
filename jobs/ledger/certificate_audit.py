"""Verifies the certificates of a store: each against the one before it, those of each run against what the
ledger announced."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from jobs.ledger.certificates import Certificate, Issued, hash_of, shown_root
from jobs.ledger.entries import FIRST, LedgerEntry
from jobs.ledger.verification import Problem


def audit_certificates(
    issued: Iterable[tuple[str, Issued | None]],
    announced: Mapping[str, Mapping[str, object]],
    entries: Mapping[str, int] | None = None,
    expired: Sequence[LedgerEntry] = (),
) -> list[Problem]:
    """Return each certificate that does not verify, by name.

    `issued` are all certificates with their run, in the order in which they were issued; None for one that
    cannot be read. `announced` is the last ledger entry about certificates of each run: how many there are,
    their Merkle root, the register keys; `entries` which it is. `expired` are the entries about expired
    certificates (ACC-07): the first remaining certificate follows from the last of those."""
    told = entries or {}
    gone, problems = _gone(announced, expired)
    by_run: defaultdict[str, list[Certificate]] = defaultdict(list)
    keys: defaultdict[str, set[str]] = defaultdict(set)
    unreadable: set[str] = set()
    before: str | None = str(expired[-1].data.get("last")) if expired else FIRST  # None after one that cannot be read
    for number, (run, each) in enumerate(issued, 1):
        if each is None:
            problems.append(Problem(f"certificate {number}, of {run}", "is not as it was written", told.get(run)))
            unreadable.add(run)
            before = None
            continue
        certificate = each.certificate
        where = f"certificate {number}, {certificate.certificate_id}"
        if hash_of(certificate) != certificate.hash:
            problems.append(Problem(where, "its fields are not those of its hash", told.get(run)))
        elif before is not None and certificate.prev_hash != before:
            what = "does not follow from the one before it: one was dropped, moved or changed"
            problems.append(Problem(where, what, told.get(run)))
        elif certificate.run_id != run:
            problems.append(Problem(where, f"is kept with {run}, and is of another run", told.get(run)))
        by_run[run].append(certificate)
        keys[run].add(each.register_key)
        before = certificate.hash
    for run, data in announced.items():
        found = by_run.pop(run, [])
        if run in gone:
            what = "are past their term by the ledger, and still there"
            problems += [Problem(f"certificates of {run}", what, gone[run])] * bool(found)
            continue
        if run not in unreadable and (len(found), shown_root(found)) != (data.get("count"), data.get("root")):
            what = f"are not the {data.get('count')} of the ledger: there are {len(found)}"
            problems.append(Problem(f"certificates of {run}", what, told.get(run)))
        elif keys[run] - _names(data):
            problems.append(Problem(f"certificates of {run}", "name another register key than the ledger", told.get(run)))
    problems += [Problem(f"certificates of {run}", "are in no entry of the ledger") for run in by_run if run not in unreadable]
    return problems


def _gone(announced: Mapping[str, Mapping[str, object]], expired: Iterable[LedgerEntry]) -> tuple[dict[str, int], list[Problem]]:
    """Return the runs whose certificates have expired, each with the entry that records it, and any
    mismatches."""
    gone: dict[str, int] = {}
    problems: list[Problem] = []
    for entry in expired:
        named = entry.data.get("runs")
        runs = [str(run) for run in named] if isinstance(named, list) else []
        if sum(int(str(announced.get(run, {}).get("count", 0))) for run in runs) != entry.data.get("count"):
            problems.append(Problem(f"entry {entry.seq}", "more or fewer certificates were removed than these runs had", entry.seq))
        gone |= dict.fromkeys(runs, entry.seq)
    return gone, problems


def _names(data: Mapping[str, object]) -> set[object]:
    """Return the register keys that the ledger names for a run: two if it continued after a rotation."""
    named = data.get("register_keys")
    return set(named) if isinstance(named, list) else {data.get("register_key")}
