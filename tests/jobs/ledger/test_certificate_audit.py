"""The certificates of a store are held against each other and against the ledger; each that does not fit is
named (9.2, R-141)."""

from collections.abc import Callable

import msgspec
import pytest

from jobs.ledger.certificate_audit import audit_certificates
from jobs.ledger.certificates import Issued, chained, hash_of, merkle_root
from tests.jobs.proof.attested import a_certificate

Kept = list[tuple[str, Issued | None]]
RUNS = ("run-1", "run-1", "run-2")
KEY = "r-2026-11-00000000"


def a_store() -> tuple[Kept, dict[str, dict[str, object]]]:
    certificates = chained([a_certificate(number, run) for number, run in enumerate(RUNS)], None)
    kept: Kept = [(each.run_id, Issued(each, KEY)) for each in certificates]
    announced: dict[str, dict[str, object]] = {}
    for run in set(RUNS):
        own = [each for each in certificates if each.run_id == run]
        announced[run] = {"count": len(own), "root": merkle_root(own), "register_key": KEY}
    return kept, announced


def changed(kept: Kept, at: int, **fields: object) -> Kept:
    run, issued = kept[at]
    assert issued is not None
    return [
        *kept[:at],
        (run, msgspec.structs.replace(issued, certificate=msgspec.structs.replace(issued.certificate, **fields))),
        *kept[at + 1 :],
    ]


def rehashed(kept: Kept, at: int, **fields: object) -> Kept:
    """Changed by somebody who knows how the hash is made."""
    kept = changed(kept, at, **fields)
    issued = kept[at][1]
    assert issued is not None
    return changed(kept, at, hash=hash_of(issued.certificate))


def test_certificates_as_they_were_issued_verify() -> None:
    assert audit_certificates(*a_store()) == []


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        (lambda kept: changed(kept, 1, disposition="ANONYMISED"), "certificate 2, certificate-1"),
        (lambda kept: rehashed(kept, 1, disposition="ANONYMISED"), "certificate 3, certificate-2"),
        (lambda kept: rehashed(kept, 2, rule_id="RET-99"), "certificates of run-2"),
        (lambda kept: [kept[0], ("run-1", None), kept[2]], "certificate 2, of run-1"),
        (lambda kept: kept[:1] + kept[2:], "certificate 2, certificate-2"),
        (lambda kept: kept[:2], "certificates of run-2"),
        (lambda kept: [], "certificates of run-1"),
        (lambda kept: [kept[1], kept[0], kept[2]], "certificate 1, certificate-1"),
        (lambda kept: [kept[0], ("run-2", kept[1][1]), kept[2]], "certificate 2, certificate-1"),
    ],
    ids=["changed", "rehashed", "rehashed last", "unreadable", "dropped", "cut off", "all gone", "swapped", "moved"],
)
def test_what_was_done_to_certificates_is_named(damage: Callable[[Kept], Kept], where: str) -> None:
    kept, announced = a_store()
    entries = {run: number for number, run in enumerate(announced, 7)}
    found = audit_certificates(damage(kept), announced, entries)
    assert where in [problem.where for problem in found]
    assert {problem.entry for problem in found} <= set(entries.values())


def test_another_register_key_than_the_ledger_names_is_named() -> None:
    kept, announced = a_store()
    announced["run-1"]["register_key"] = "r-2027-11-00000000"
    assert [problem.where for problem in audit_certificates(kept, announced)] == ["certificates of run-1"]


def test_certificates_that_the_ledger_knows_nothing_of_are_named() -> None:
    kept, announced = a_store()
    del announced["run-2"]
    assert [problem.where for problem in audit_certificates(kept, announced)] == ["certificates of run-2"]
