"""What reports need from the desk: labels, links into the CRM, and files that are written whole."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from connectors.dynamics.links import row_address
from crm_compliance.files import write_whole
from crm_compliance.reports.plan.formats import Source, write_report
from rules.policy.policy import Policy


def labels_of(policy: Policy) -> dict[str, str]:
    """Return the English names of categories."""
    return {key: category.labels.en for key, category in policy.categories.items()}


def link_of(crm: str, app_url: str) -> Callable[[str, str], str]:
    """Return the address of a row in the CRM's own user interface (ACC-04); `app_url` is the mapping's."""
    organisation_url = crm.split("/api/data/")[0]
    return lambda table, row: row_address(organisation_url, app_url, table, row)


def write_files(paths: Sequence[Path], source: Source) -> None:
    """Write each file whole, in the format that its ending names. Raises UsageError: an unknown ending, a
    missing folder, a full disk; the old file is then still there."""
    for path in paths:
        with write_whole(path) as out:
            write_report(path.suffix, source, cast(BinaryIO, out))
