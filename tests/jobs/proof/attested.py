"""A certificate of disposal."""

from jobs.ledger.certificates import Actor, Certificate
from rules.model.residual_data import ResidualPlace


def a_certificate(number: int, run: str = "run-1") -> Certificate:
    return Certificate(
        certificate_id=f"certificate-{number}",
        run_id=run,
        software_version="0.1.0",
        schedule_version="2026.1",
        unit_type="dossier",
        unit_ref=f"{number:064x}",
        category_keys=("exploitation_ict",),
        rule_id="RET-08",
        reason="EXPIRED",
        retention_end="2026-02",
        disposition="DELETED" if number % 2 else "ANONYMISED",
        objects={"fiches": number, "notes": 0},
        disposed_at="2026-03-02T01:30:00Z",
        verified_at="2026-03-02T01:31:00Z",
        method={place.value: "done" for place in ResidualPlace},
        actor=Actor("5" * 64, ("crm_admin", "dpo")),
    )
