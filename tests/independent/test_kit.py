"""Small organisations full of traps: the product's plan, its disposals and what it leaves behind agree with
our own evaluation."""

from pathlib import Path

import pytest

from tests.independent.inside import CommandLine
from tests.independent.kit import examine


@pytest.mark.parametrize(("seed", "as_of"), [(3, "2026-03-29T21:10:00Z"), (10, "2028-03-01T08:00:00Z")])
def test_product_agrees_with_independent_evaluation(seed: int, as_of: str, tmp_path: Path) -> None:
    findings = examine(seed, 60, tmp_path, as_of, other_plans=seed == 3, prompt=CommandLine())
    assert not findings.problems, "\n".join(findings.problems)
