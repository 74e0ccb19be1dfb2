"""The evidence pack: in one archive, without personal data, what an auditor must be able to see and to verify
(9.1, ACC-01 to ACC-03)."""

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import msgspec

from crm_compliance.host.files import write_whole
from crm_compliance.keys.public_keys import PublicKey, write_pem
from jobs.checks.drift.references import References
from jobs.checks.ledger_drift import differences, refuse
from jobs.ledger import checkpoints
from jobs.ledger.entries import canonical, encode
from jobs.ledger.maintenance_runs import MaintenanceRun
from jobs.model.plan import Approval, Plan
from jobs.model.run import Action, ActionState, Run
from jobs.ports.notary import Notary
from jobs.ports.store.policies import PolicyVersion
from jobs.ports.store.store import Store
from jobs.proof import attestation
from jobs.proof.attestation import LedgerIndex, attest
from jobs.proof.run_reckoning import reckoning_of
from jobs.runs.run_states import state_of
from jobs.writing.send import TECHNICAL
from rules.dates.calendar import Calendar
from rules.dates.instants import instant
from rules.errors import PolicyError
from rules.holds.placements import PlacedHold
from rules.model.roles import is_service
from rules.policy.loader import load_policy

Reference = Callable[[str, str], str]
# What of a run's counts is counts and nothing else; alarms are told by their codes.
COUNTS = (
    "deleted", "anonymised", "trimmed", "skipped", "not_trimmed", "partial", "failed", "verified", "rows", "disposed", "flags",
    "statistics",
)  # fmt: skip
EXCEPTIONS = (ActionState.PARTIAL, ActionState.FAILED)


def write_pack(
    path: Path,
    store: Store,
    notary: Notary,
    *,
    public: Sequence[PublicKey],
    anchor: bytes,
    reference: Reference,
    references: References,
    software_version: str,
    calendar: Calendar,
    now: datetime,
) -> list[str]:
    """Write the archive and name its files. The caller sees to it that all is read in one state, and that the
    last checkpoint covers each run that is over in it. Raises StoreAltered: tables are not what the ledger
    says, or the journal of the runs or the register of erasures not what was sealed. Nothing is packed then:
    what it says would look like proof."""
    at_work = store.leases.runs_at_work()  # first: who ends while all is looked at was at work in what is read
    refuse(differences(store, references, calendar.day(now), calendar))
    store.journal.check(whole=True)
    store.erasures.check(whole=True)
    at = now.astimezone(UTC)
    digests: dict[str, str] = {}
    with write_whole(path) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, parts in _files(store, notary, public, anchor, reference, calendar, at_work):
            digest = hashlib.sha256()
            with archive.open(_info(name, at), "w", force_zip64=True) as file:
                for part in parts:
                    digest.update(part)
                    file.write(part)
            digests[name] = digest.hexdigest()
        manifest = _signed_manifest(notary, at, software_version, digests)
        archive.writestr(_info("manifest.json", at), _json(manifest), zipfile.ZIP_DEFLATED)
    return ["manifest.json", *digests]


def _signed_manifest(notary: Notary, at: datetime, software_version: str, digests: Mapping[str, str]) -> dict[str, object]:
    """Return the manifest, signed over its RFC 8785 form without the signature. Plans, runs and holds have no
    signature of their own: whoever changes one writes its digest into an unsigned manifest as well."""
    told: dict[str, object] = {
        "made_at": instant(at),
        "software_version": software_version,
        "files": dict(sorted(digests.items())),
        "key": notary.key,
    }
    return told | {"signature": notary.sign(canonical(told))}


def _info(name: str, at: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (max(at.year, 1980), *at.timetuple()[1:6]))
    info.external_attr = 0o600 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _files(
    store: Store,
    notary: Notary,
    public: Sequence[PublicKey],
    anchor: bytes,
    reference: Reference,
    calendar: Calendar,
    at_work: Collection[str],
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield every file but the manifest, its content in parts."""
    head = store.ledger.head()
    runs, rounds, plans, holds = store.runs.all(), store.runs.maintenance(), store.plans.all(), store.holds.all()
    index = LedgerIndex.read(store)
    points = store.checkpoints.all()
    yield "VERIFY.md", iter([(files("crm_compliance.reports") / "templates" / "VERIFY.md").read_bytes()])
    yield "keys.pem", iter([write_pem(public)])
    yield from ((f"keys/{key.id}.pem", iter([key.pem])) for key in public)
    yield "ledger.jsonl", (encode(entry) for entry in store.ledger.entries())
    yield "head.json", iter([msgspec.json.encode(head) + b"\n"])
    yield "checkpoints.jsonl", map(checkpoints.encode, points)
    yield "anchor.jsonl", iter([anchor])
    proofs = {point.entries: [step.hex() for step in index.levels.consistency(point.entries)] for point in points}
    consistency = {"entries": index.checkpoint.entries, "root": index.checkpoint.root, "proofs": proofs}
    yield "consistency.json", iter([_json(consistency)])
    yield from ((f"policies/{_file_name(version)}", iter([version.text.encode()])) for version in store.policies.all())
    yield "policies.json", iter([_json([_version_document(version) for version in store.policies.all()])])
    yield "plans.json", iter([_json([_plan_document(plan, reference) for plan in reversed(plans)])])
    by_id = {plan.id: plan for plan in plans}
    over = [run for run in reversed(runs) if run.is_over]
    documents: list[dict[str, object]] = []
    exceptions: list[dict[str, object]] = []
    for run in over:
        plan, journal = by_id[run.plan], store.journal.of_run(run.id)
        documents.append(_run_document(run, plan, store, reference, calendar))
        exceptions += _exceptions(run, journal, reference)
        if not run.are_certificates_gone:
            yield f"certificates/{run.id}.json", iter([attestation.encode(attest(store, notary, run, index, calendar))])
    yield "runs.json", iter([_json(documents)])
    yield "rounds.json", iter([_json([_maintenance_document(made, at_work) for made in reversed(rounds)])])
    yield "exceptions.json", iter([_json(exceptions)])
    yield "holds.json", iter([_json([_hold_document(hold, reference) for hold in holds])])


def _json(document: object) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _file_name(version: PolicyVersion) -> str:
    return f"{re.sub(r'[^0-9A-Za-z.-]', '-', version.version)[:40]}-{version.digest[:12]}.yaml"


def _version_document(version: PolicyVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "digest": version.digest,
        "first_used_at": version.first_used_at,
        "file": f"policies/{_file_name(version)}",
        "own_data": _own_data(version),
    }


def _own_data(version: PolicyVersion) -> dict[str, object] | None:
    """Return how long we kept our own data under a version, defaults included (ACC-07). Return None if the
    version can no longer be read."""
    try:
        return dict(load_policy(version.text, source=version.version).own_data.model_dump())
    except PolicyError:
        return None


def _plan_document(plan: Plan, reference: Reference) -> dict[str, object]:
    return {
        "plan": plan.id,
        "digest": plan.digest,
        "kind": plan.kind.value,
        "created_at": instant(plan.created_at),
        "proposer": plan.proposer if is_service(plan.proposer) else _person(plan.proposer, reference),
        "as_of": instant(plan.as_of),
        "as_of_given": plan.as_of_given,
        "schedule_version": plan.policy_version,
        "schedule_digest": plan.policy_digest,
        "mapping_digest": plan.mapping_digest,
        "units": plan.units,
        "dispose": plan.dispose,
        "retain": plan.retain,
        "flags": plan.flags,
        "trims": plan.to_trim,
        "breaker_tripped": plan.breaker.tripped,
        "needed": list(plan.needed),
        "words": [_approval(approval, reference) for approval in plan.given],
        "valid_until": instant(plan.valid_until),
        "applied": plan.applied,
    }


def _approval(approval: Approval, reference: Reference) -> dict[str, object]:
    return {"by": _person(approval.who, reference), "role": approval.role, "at": instant(approval.at), "approves": approval.approves}


def _person(who: str, reference: Reference) -> str | None:
    """Return a reference of a person; None where nobody knows any more who it was (ACC-07)."""
    return reference("person", who) if who else None


def _run_document(run: Run, plan: Plan, store: Store, reference: Reference, calendar: Calendar) -> dict[str, object]:
    completeness = reckoning_of(store, run, calendar)
    return {
        "run": run.id,
        "kind": run.kind.value,
        "plan": run.plan,
        "state": run.state.value,
        "as_of": instant(run.as_of),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "software_version": run.software_version,
        "schedule_version": run.policy_version,
        "schedule_digest": run.policy_digest,
        "approvals": [_approval(approval, reference) for approval in plan.given if approval.approves],
        "completeness": {"units": completeness.units, "outcomes": completeness.outcomes, "past_end": completeness.past_end},
        "counts": {name: run.counts[name] for name in COUNTS if name in run.counts},
        "alarms": _alarms(run),
        "certificates": "removed" if run.are_certificates_gone else f"certificates/{run.id}.json",
    }


def _maintenance_document(made: MaintenanceRun, at_work: Collection[str]) -> dict[str, object]:
    return {
        "run": made.id,
        "kind": made.kind,
        "state": state_of(made, at_work),
        "started_at": instant(made.started_at),
        "ended_at": instant(made.ended_at),
        "software_version": made.software_version,
        "counts": made.counts,
    }


def _alarms(run: Run) -> list[str]:
    alarms = run.counts.get("alarms")
    return sorted(str(alarm["code"]) for alarm in alarms) if isinstance(alarms, list) else []


def _exceptions(run: Run, journal: Sequence[Action], reference: Reference) -> list[dict[str, object]]:
    units: list[dict[str, object]] = [
        {
            "run": run.id,
            "ref": reference(action.table, action.id),
            "table": action.table,
            "disposition": action.disposition,
            "state": action.state.value,
            "code": action.code,
            **({"cause": action.cause} if action.cause != action.code else {}),
        }
        for action in journal
        if action.state in EXCEPTIONS or action.code == TECHNICAL
    ]
    return units + [{"run": run.id, "alarm": code} for code in _alarms(run)]


def _hold_document(hold: PlacedHold, reference: Reference) -> dict[str, object]:
    return {
        "hold": hold.id,
        "type": hold.type.value,
        "reason_code": hold.told_reason,
        "table": hold.table,
        "ref": reference(hold.table, hold.row) if hold.row else None,
        "everything_of_person": hold.everything,
        "conditions": len(hold.conditions),
        "placed_by": reference("person", hold.placed_by),
        "placed_at": instant(hold.placed_at),
        "ends_on": hold.ends_on.isoformat() if hold.ends_on is not None else None,
        "review_on": hold.review_on.isoformat(),
        "released_by": reference("person", hold.released_by) if hold.released_by else None,
        "released_at": instant(hold.released_at),
        "release_asked_by": reference("person", hold.release_asked_by) if hold.release_asked_by else None,
    }
