"""What reports need from the desk: labels, links into the CRM, and files that are written whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from connectors.dynamics.links import row_address
from crm_compliance.files import write_whole
from crm_compliance.reports.plan.formats import check_suffix, write_report
from jobs.model.plan import Plan
from jobs.plans.make import lines_of
from jobs.ports.store import Store
from rules.policy.policy import Policy


def labels_of(policy: Policy) -> dict[str, str]:
    """What categories are called in English."""
    return {key: category.labels.en for key, category in policy.categories.items()}


def link_of(crm: str, app_url: str) -> Callable[[str, str], str]:
    """The address of a row in the CRM's own user interface (ACC-04); `app_url` is the mapping's."""
    organisation_url = crm.split("/api/data/")[0]
    return lambda table, row: row_address(organisation_url, app_url, table, row)


def write_files(
    paths: Sequence[Path],
    document: dict[str, object],
    plan: Plan,
    store: Store,
    *,
    now: datetime,
    labels: Mapping[str, str],
    link: Callable[[str, str], str],
) -> None:
    """Write each file whole, in the format that its suffix names.

    Raises:
        UsageError: an unknown suffix, a missing folder, a full disk; the old file is then still there.
    """
    for path in paths:
        with write_whole(path) as out:
            write_report(
                check_suffix(path),
                document,
                plan,
                lambda: lines_of(store.plans.pages(plan.id)),
                cast(BinaryIO, out),
                now=now,
                labels=labels,
                link=link,
            )
