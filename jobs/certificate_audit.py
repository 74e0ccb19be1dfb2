"""Verifies the certificates of a store: each against the one before it, those of each run against what the ledger announced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from jobs.certificates import Certificate, Issued, hash_of, merkle_root
from jobs.checkpoints import Problem
from jobs.ledger import FIRST


def audit_certificates(
    issued: Iterable[tuple[str, Issued | None]], announced: Mapping[str, Mapping[str, object]], entries: Mapping[str, int] | None = None
) -> list[Problem]:
    """Name each certificate that does not verify.

    `issued` are all certificates with their run, in the order in which they were issued; None for one that cannot be read. `announced` is
    the last ledger entry about certificates of each run: how many there are, their Merkle root, the register keys; `entries` which it is.
    """
    problems: list[Problem] = []
    told = entries or {}
    by_run: defaultdict[str, list[Certificate]] = defaultdict(list)
    keys: defaultdict[str, set[str]] = defaultdict(set)
    unreadable: set[str] = set()
    before: str | None = FIRST  # None after one that cannot be read
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
        if run not in unreadable and (len(found), _root(found)) != (data.get("count"), data.get("root")):
            what = f"are not the {data.get('count')} of the ledger: there are {len(found)}"
            problems.append(Problem(f"certificates of {run}", what, told.get(run)))
        elif keys[run] - _names(data):
            problems.append(Problem(f"certificates of {run}", "name another register key than the ledger", told.get(run)))
    problems += [Problem(f"certificates of {run}", "are in no entry of the ledger") for run in by_run if run not in unreadable]
    return problems


def _names(data: Mapping[str, object]) -> set[object]:
    """The register keys that the ledger names for a run: one that went on after a rotation has two."""
    named = data.get("register_keys")
    return set(named) if isinstance(named, list) else {data.get("register_key")}


def _root(certificates: list[Certificate]) -> str:
    try:
        return merkle_root(certificates)
    except ValueError:  # a hash that is no hash
        return ""
