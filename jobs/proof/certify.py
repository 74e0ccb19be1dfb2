"""Issues the certificates of disposal of a run, once everything was read back (9.2, ERA-15)."""

from collections import Counter
from collections.abc import Sequence

from jobs.ledger.certificates import Actor, Certificate, Issued, chained, merkle_root
from jobs.model.plan import Plan
from jobs.model.run import LOOSE, WRITTEN_OFF, Action, ActionState, Run
from jobs.ports.context import JobContext
from jobs.writing.row_writes import EMPTY
from rules.model.kinds import ACTIVITIES
from rules.model.records import KINDS, RELATION_KINDS, UnitKind
from rules.model.residual_data import PlaceState, ResidualPlace

DISPOSITIONS = {"delete": "DELETED", "anonymise": "ANONYMISED"}
# An audio attachment is a recording, an e-mail attached to nothing a lone fiche (RET-05).
UNIT_TYPES = {
    UnitKind.DOSSIER.value: "dossier",
    UnitKind.FICHE.value: "fiche",
    UnitKind.EMAIL.value: "fiche",
    UnitKind.RECORDING.value: "recording",
    UnitKind.ATTACHMENT.value: "recording",
    UnitKind.CONTACT.value: "contact",
    **{kind.value: kind.value for kind in RELATION_KINDS},  # units where a row outside the missions is in force (2.3)
}
CLASSES = {"fiche": "fiches", "note": "notes", "recording": "recordings", **dict.fromkeys(ACTIVITIES, "activities")}
OBJECTS = ("fiches", "notes", "attachments", "activities", "recordings", "audit_entries")
DEPENDENT = "dependent_rows"  # of tables of the organisation's own, where there were any


def certify(context: JobContext, run: Run, plan: Plan, actions: Sequence[Action]) -> None:
    """Issue one certificate for each unit that is done and verified and has none yet; doing it again issues
    nothing. A unit that is half done, or not read back yet, gets none (R-088, R-089); a trimmed contact was
    not disposed of."""
    due = [action for action in actions if _is_due(action)]
    if not due or context.notary is None:
        return
    before = context.store.certificates.of_run(run.id)
    known = {issued.certificate.unit_ref for issued in before}
    drafts = [
        _draft(context, context.notary.service, run, plan, action)
        for action in due
        if known.isdisjoint(context.references(action.table, action.id))
    ]
    if not drafts:
        return
    last = context.store.certificates.last()
    certificates = chained(drafts, last.certificate if last is not None else None)
    entry: dict[str, object] = {
        "count": len(before) + len(certificates),
        "first": (before[0].certificate if before else certificates[0]).hash,
        "last": certificates[-1].hash,
        "root": merkle_root([*(issued.certificate for issued in before), *certificates]),
        "register_key": context.notary.register_key,
    }
    issued = [Issued(certificate, context.notary.register_key) for certificate in certificates]
    context.store.certificates.issue(run.id, issued, ("certificates", entry))


def _is_due(action: Action) -> bool:
    is_disposal = bool(action.rows) and action.disposition in DISPOSITIONS and LOOSE not in action.flags
    return action.state is ActionState.DONE and bool(action.verified_at) and is_disposal


def _draft(context: JobContext, service: str, run: Run, plan: Plan, action: Action) -> Certificate:
    roles = tuple(sorted({approval.role for approval in plan.given if approval.approves}))
    return Certificate(
        certificate_id=context.new_id("certificate"),
        run_id=run.id,
        software_version=run.software_version,
        schedule_version=run.policy_version,
        unit_type=UNIT_TYPES.get(action.rows[-1].kind, UnitKind.OWN_TABLE.value),
        unit_ref=context.reference(action.table, action.id),
        category_keys=action.categories,
        rule_id=action.rule,
        reason=action.reason,
        retention_end=action.end_month or None,
        disposition=DISPOSITIONS[action.disposition],
        objects=_objects(action),
        disposed_at=action.removed_at,
        verified_at=action.verified_at,
        # Of a place of which nobody has told anything it is not claimed that it is clean.
        method={place.value: action.places.get(place.value, PlaceState.NOT_REACHABLE.value) for place in ResidualPlace} | _bypass(action),
        actor=Actor(service, roles),
    )


def _bypass(action: Action) -> dict[str, str]:
    """Return which custom logic of the CRM the disposal of the unit bypassed. It is empty if there was none,
    so that `method` names places alone."""
    return {"bypass": ",".join(action.bypass)} if action.bypass else {}


def _objects(action: Action) -> dict[str, int]:
    """Return how many objects of each class were deleted with the unit, itself included; documents outside
    the CRM where it had some."""
    classes: Counter[str] = Counter()
    for write in (*action.gone, *action.rows):
        if write.operation in WRITTEN_OFF and write.kind in CLASSES:
            is_attachment = write is action.rows[-1] and write.kind == UnitKind.ATTACHMENT.value
            classes["attachments" if is_attachment else CLASSES[write.kind]] += 1
        elif write.operation in (*WRITTEN_OFF, EMPTY) and write.kind not in KINDS:
            classes[DEPENDENT] += 1
    documents = sum(folder.files for folder in action.documents)
    counts = {name: classes[name] for name in OBJECTS} | {"audit_entries": action.audit_entries}
    own = {DEPENDENT: classes[DEPENDENT]} if classes[DEPENDENT] else {}
    return counts | own | ({"documents": documents} if documents else {})
