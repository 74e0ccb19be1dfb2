"""The certificates of a run verify without the installation, and whatever is done to the file is noticed and
named (9.2, R-140, R-141)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import isal_zlib as zlib

from crm_compliance.store.store import SqlStore
from jobs.ledger.certificates import Certificate, Issued, chained, hash_of, merkle_root
from jobs.ledger.entries import FIRST, LedgerBroken, canonical
from jobs.model.plan import PlanLine
from jobs.model.run import Action, ActionState, RunState
from jobs.proof.attestation import Attestation, LedgerIndex, attest, encode
from jobs.proof.checkpoint import make_checkpoint
from jobs.proof.verify_document import verify_document
from rules.dates.calendar import BELGIAN
from rules.errors import UsageError
from tests.crm_compliance.store.values import NIGHT, a_plan, a_run, a_word
from tests.drivers.clock import Clock
from tests.jobs.notary import PlainNotary
from tests.jobs.proof.attested import a_certificate

FIELDS = {
    *("certificate_id", "run_id", "software_version", "schedule_version", "unit_type", "unit_ref", "category_keys", "rule_id", "reason"),
    *("retention_end", "disposition", "objects", "disposed_at", "verified_at", "method", "actor", "prev_hash", "hash"),
}
UNITS = 5


@pytest.fixture
def notary() -> PlainNotary:
    return PlainNotary()


@pytest.fixture
def proven(sqlite_url: str, open_store: Callable[[str], SqlStore], notary: PlainNotary, clock: Clock) -> SqlStore:
    """A store with one finished run of five certified units, after another run with one."""
    store = open_store(sqlite_url)
    for run, plan, numbers in (("run-0", "plan-0", [100]), ("run-1", "plan-1", range(1, UNITS + 1))):
        lines = [
            PlanLine("cf_dossier", str(n), "dispose", "delete", "2026-02-28", "EXPIRED", ("EXPIRED",), (), (), "RET-08", "2026.1", "W/1")
            for n in numbers
        ]
        page = zlib.compress(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        store.plans.save(a_plan(plan, needed=()), [page], ("plan", {"plan": plan}))
        store.plans.approve(plan, a_word(), ("approval", {"plan": plan}))
        store.runs.start(a_run(run, plan), ("run_started", {"plan": plan}))
        store.journal.record(run, [Action("cf_dossier", str(n), "delete", ActionState.DONE) for n in numbers], [("outcome", {})])
        last = store.certificates.last()
        certificates = chained([a_certificate(n, run) for n in numbers], last.certificate if last is not None else None)
        entry = {"count": len(certificates), "root": merkle_root(certificates)}
        store.certificates.issue(run, [Issued(each, notary.register_key) for each in certificates], ("certificates", entry))
        over = a_run(run, plan, state=RunState.DONE, ended_at=NIGHT)
        store.runs.save(over, [("run_ended", {"plan": plan, "state": "done"})])
        make_checkpoint(store, notary, clock)
    return store


@pytest.fixture
def content(proven: SqlStore, notary: PlainNotary) -> bytes:
    return encode(attest(proven, notary, proven.runs.get("run-1"), LedgerIndex.read(proven), BELGIAN))


def problems(content: bytes, notary: PlainNotary) -> list[str]:
    return [str(problem) for problem in verify_document(content, notary.check)[1]]


def edited(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(content)
    change(document)
    return canonical(document) + b"\n"


def signed_anew(content: bytes, notary: PlainNotary, change: Callable[[dict[str, Any]], object]) -> bytes:
    """What somebody in possession of the signing key, and of nothing else, could make of it."""
    document = msgspec.json.decode(edited(content, change), type=Attestation)
    return encode(msgspec.structs.replace(document, signature=notary.sign(document.message)))


def test_a_certificate_has_exactly_the_fields_of_the_rule(content: bytes) -> None:
    """R-140."""
    assert [set(certificate) for certificate in json.loads(content)["certificates"]] == [FIELDS] * UNITS


def test_an_honest_document_verifies_and_its_counts_add_up(content: bytes, notary: PlainNotary) -> None:
    document, found = verify_document(content, notary.check)
    assert found == []
    assert document is not None
    assert document.run.certificates == {"ANONYMISED": 2, "DELETED": 3}
    assert document.run.completeness.past_end == {"units": 5, "disposed": 5, "partial": 0, "skipped": 0, "held": 0, "open": 0}
    assert document.run.places["recycle_bin"] == {"done": 5}
    assert document.run.approvals == ("crm_admin",)
    assert [proven.entry.kind for proven in document.inclusion] == ["certificates", "run_ended"]


def test_the_document_of_one_unit_verifies_by_its_path_to_the_root(proven: SqlStore, notary: PlainNotary) -> None:
    for number in range(1, UNITS + 1):
        single = attest(proven, notary, proven.runs.get("run-1"), LedgerIndex.read(proven), BELGIAN, [f"{number:064x}"])
        assert [certificate.certificate_id for certificate in single.certificates] == [f"certificate-{number}"]
        assert problems(encode(single), notary) == []
        for wrong in ({"index": (number + 1) % UNITS}, {"size": UNITS + 1}, {"index": -1}, {"path": ["zz"]}):
            assert problems(signed_anew(encode(single), notary, lambda d, wrong=wrong: d["membership"].update(wrong)), notary)  # type: ignore[misc]


def test_a_unit_of_which_the_run_has_no_certificate_is_a_usage_error(proven: SqlStore, notary: PlainNotary) -> None:
    with pytest.raises(UsageError, match="no certificate"):
        attest(proven, notary, proven.runs.get("run-1"), LedgerIndex.read(proven), BELGIAN, ["0" * 64])


def test_the_chain_of_certificates_goes_on_from_run_to_run(proven: SqlStore) -> None:
    chain = [one.certificate for run in ("run-0", "run-1") for one in proven.certificates.of_run(run)]
    assert [each.prev_hash for each in chain] == [FIRST, *(each.hash for each in chain[:-1])]
    assert all(hash_of(each) == each.hash for each in chain)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_any_edited_byte_is_noticed(content: bytes, notary: PlainNotary, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(content) - 1))
    byte = draw.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    assert problems(content[:place] + bytes([byte]) + content[place + 1 :], notary)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_any_lost_or_doubled_piece_is_noticed(content: bytes, notary: PlainNotary, draw: st.DataObject) -> None:
    start, end = sorted(
        draw.draw(st.tuples(st.integers(0, len(content)), st.integers(0, len(content))).filter(lambda pair: pair[0] != pair[1]))
    )
    assert problems(content[:end] + content[start:], notary)
    left = content[:start] + content[end:]
    try:
        assert problems(left, notary)
    except UsageError:  # so little is left that nobody could tell what it was
        assert len(left) < 2000


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a changed field": (lambda d: d["certificates"][2].update(disposition="DELETED" * 2), "certificate 3, certificate-3"),
    "a certificate taken out": (lambda d: d["certificates"].pop(1), "certificate 2, certificate-3"),
    "the first taken out": (lambda d: d["certificates"].pop(0), "root"),
    "the last taken out": (lambda d: d["certificates"].pop(), "root"),
    "two in another order": (lambda d: d["certificates"].insert(0, d["certificates"].pop(3)), "certificate 2"),
    "one twice": (lambda d: d["certificates"].insert(1, d["certificates"][0]), "certificate 2, certificate-1"),
    "no certificate any more": (lambda d: d["certificates"].clear(), "root"),
    "null for a certificate": (lambda d: d["certificates"].__setitem__(3, None), "$.certificates[3]"),
    "a field taken out": (lambda d: d["certificates"][1].pop("rule_id"), "$.certificates[1]"),
    "a field more": (lambda d: d["certificates"][1].update(name="x"), "$.certificates[1]"),
    "a field of another type": (lambda d: d["certificates"][1].update(objects=[]), "$.certificates[1].objects"),
    "another root": (lambda d: d.update(root="0" * 64), "root"),
    "another count": (lambda d: d["run"]["certificates"].update(DELETED=9), "run.certificates"),
    "another outcome": (lambda d: d["run"]["completeness"]["outcomes"].update(disposed=9), "run.completeness"),
    "another place": (lambda d: d["run"]["places"]["copies"].update(done=9), "run.places"),
    "another schedule": (lambda d: d["run"].update(schedule_version="2027.1"), "run"),
    "other approvals": (lambda d: d["run"].update(approvals=[]), "run"),
    "another state": (lambda d: d["run"].update(state="done_with_failures"), "run"),
    "another register key": (lambda d: d["register_keys"][0].update(key="r-2020-01-00000000"), "register_keys"),
    "an altered entry": (lambda d: d["inclusion"][0]["entry"]["data"].update(count=4), "ledger entry"),
    "an entry taken out": (lambda d: d["inclusion"].pop(), "inclusion"),
    "another path": (lambda d: d["inclusion"][0]["path"].reverse(), "ledger entry"),
    "another head": (lambda d: d["checkpoint"].update(head="0" * 64), "checkpoint"),
    "another digest": (lambda d: d["digests"].update(run="0" * 64), "run"),
    "a digest more": (lambda d: d["digests"].update(more="0" * 64), "digests"),
    "another signature": (lambda d: d.update(signature=""), "signature"),
    "another key": (lambda d: d.update(key="s-2026-11-ffffffffffffffff"), "signature"),
    "another schema": (lambda d: d.update(schema="x"), "schema"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named(content: bytes, notary: PlainNotary, name: str) -> None:
    change, named = CHANGES[name]
    assert any(named in problem for problem in problems(edited(content, change), notary))


@pytest.mark.parametrize("name", [name for name in CHANGES if name.startswith(("a changed", "a certificate", "the ", "two", "one", "no "))])
def test_whoever_signs_a_changed_document_anew_is_found_out_by_the_ledger(content: bytes, notary: PlainNotary, name: str) -> None:
    assert problems(signed_anew(content, notary, CHANGES[name][0]), notary)


def test_a_certificate_made_up_with_hashes_that_fit_is_found_out_by_the_ledger(content: bytes, notary: PlainNotary) -> None:
    def forge(document: dict[str, Any]) -> None:
        old = msgspec.convert(document["certificates"], list[Certificate])
        made_up = chained([msgspec.structs.replace(each, rule_id="RET-99") for each in old], None)
        document["certificates"] = msgspec.to_builtins(made_up)
        document["root"] = merkle_root(made_up)

    assert "root: the ledger tells another root, or another number of certificates" in problems(signed_anew(content, notary, forge), notary)


def test_a_file_that_was_only_rewritten_is_told_apart(content: bytes, notary: PlainNotary) -> None:
    (problem,) = problems(json.dumps(json.loads(content), indent=2).encode(), notary)
    assert "rewritten" in problem
    (doubled,) = problems(content.replace(b'"schema":', b'"schema":"x","schema":', 1), notary)
    assert "rewritten" in doubled


@pytest.mark.parametrize(("before", "after"), [(b'"entries":', str(10**30).encode()), (b'"key":', b'"\\ud800"')])
def test_what_has_no_place_in_such_a_file_does_not_verify(content: bytes, notary: PlainNotary, before: bytes, after: bytes) -> None:
    told = problems(re.sub(before + rb"[^,}]*", lambda _: before + after, content), notary)
    assert len(told) == 1
    assert "not as it was written" in told[0]


@pytest.mark.parametrize("other", [b"", b"null", b"{}", b"Geachte heer", b'{"seq":1}', b"[" * 100_000])
def test_another_file_is_a_usage_error(notary: PlainNotary, other: bytes) -> None:
    with pytest.raises(UsageError, match="not a file of certificates"):
        verify_document(other, notary.check)


def test_a_run_that_goes_on_has_no_document(proven: SqlStore, notary: PlainNotary) -> None:
    with pytest.raises(UsageError, match="not over"):
        attest(proven, notary, a_run("run-1"), LedgerIndex.read(proven), BELGIAN)


def test_without_a_checkpoint_nothing_can_be_proven(open_store: Callable[[str], SqlStore], sqlite_url: str) -> None:
    with pytest.raises(LedgerBroken, match="no checkpoint"):
        LedgerIndex.read(open_store(sqlite_url))
