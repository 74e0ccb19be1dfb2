"""The ending of a file chooses its format."""

from pathlib import Path

import pytest

from crm_compliance.reports.parts.endings import ending_of
from crm_compliance.reports.plan.formats import FORMATS
from rules.errors import UsageError


def test_an_unknown_suffix_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        ending_of("reports/plan.pdf", FORMATS)
    assert caught.value.hint == "use one of .csv .html .json .jsonl .xlsx"
    with pytest.raises(UsageError, match="without suffix"):
        ending_of(Path("plan"), FORMATS)
    assert ending_of("PLAN.HTML", FORMATS) == ".html"
