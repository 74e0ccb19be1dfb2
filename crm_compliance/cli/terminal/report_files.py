"""What reports need from the desk: labels, and files that are written whole."""

from collections.abc import Sequence
from pathlib import Path

from crm_compliance.host.files import write_whole
from crm_compliance.reports.plan.formats import Source, write_report
from rules.policy.policy import Policy


def labels_of(policy: Policy) -> dict[str, str]:
    """Return the English names of categories."""
    return {key: category.labels.en for key, category in policy.categories.items()}


def write_files(paths: Sequence[Path], source: Source) -> None:
    """Write each file whole, in the format that its ending names. Raises UsageError: an unknown ending, a
    missing folder, a full disk; the old file is then still there."""
    for path in paths:
        with write_whole(path) as out:
            write_report(path.suffix, source, out)
