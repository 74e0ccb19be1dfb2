"""The texts of the shipped schedule that have no labels of their own: where a period is published, why the
data are needed, what the controller may want to decide. An organisation's schedule says them in its own
language; as long as it says them as the shipped one does, pages say them in theirs."""

from functools import cache
from importlib.resources import files

from rules.policy.loader import SHIPPED, load_policy


@cache
def messages() -> tuple[str, ...]:
    """Return what the catalogs have to say of the shipped schedule."""
    text = (files("rules.policy") / "schedules" / f"{SHIPPED}.yaml").read_text(encoding="utf-8")
    rows = load_policy(text, source=SHIPPED).categories.values()
    found = {said for row in rows for said in (row.source, row.suggestion, row.basis if row.basis_labels is None else "")}
    return tuple(sorted(found - {""}))
