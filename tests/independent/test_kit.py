"""Small organisations full of traps: the product's plan, its disposals and what it leaves behind agree with our own evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.independent.kit import examine

# Traps that the product does not pass yet; strike out what has been mended.
OPEN = frozenset({"objects", "two_homes"})


@pytest.mark.parametrize(("seed", "as_of"), [(3, "2026-03-29T21:10:00Z"), (10, "2028-03-01T08:00:00Z")])
def test_product_agrees_with_independent_evaluation(seed: int, as_of: str, tmp_path: Path) -> None:
    findings = examine(seed, 60, tmp_path, as_of, OPEN, other_plans=seed == 3)
    assert not findings.problems, "\n".join(findings.problems)


@pytest.mark.xfail(reason="objects in external storage; a role that names both a dossier that goes and a fiche that stays")
def test_product_passes_the_open_traps(tmp_path: Path) -> None:
    findings = examine(5, 31, tmp_path, "2026-11-25T11:00:00Z", other_plans=False)
    assert not findings.problems, "\n".join(findings.problems)
