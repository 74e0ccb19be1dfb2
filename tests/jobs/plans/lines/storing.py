"""Stores that hold one or two plans with lines, and lines of any kind. All ids are fictitious."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, cast

from hypothesis import strategies as st

from crm_compliance.store.store import SqlStore
from jobs.ledger.plan_lines import digest_head
from jobs.model.plan import Plan, PlanLine
from jobs.plans.lines.pages import paged
from jobs.ports.store.store import Store
from tests.crm_compliance.store.values import ENTRY, a_plan

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31)).map(str)


def a_line(table: str = "cf_dossier", id: str = "a1", **fields: Any) -> PlanLine:
    """A dossier that stays; `fields` as in a plan line."""
    kept: dict[str, Any] = {
        "outcome": "retain",
        "disposition": None,
        "retention_end": "2030-02-28",
        "reason": "NOT_EXPIRED",
        "reasons": ("NOT_EXPIRED",),
        "flags": (),
        "categories": ("runaway",),
        "rule": "RET-08",
        "policy_version": "2026-1",
        "etag": 'W/"1"',
    }
    return PlanLine(table, id, **(kept | fields))


def a_disposal(table: str = "cf_dossier", id: str = "d1", **fields: Any) -> PlanLine:
    gone: dict[str, Any] = {"outcome": "dispose", "disposition": "delete", "reason": "EXPIRED", "reasons": ("EXPIRED",)}
    return a_line(table, id, **(gone | {"retention_end": "2026-02-28"} | fields))


def with_digest(plan: Plan, lines: Sequence[PlanLine]) -> tuple[Plan, list[bytes]]:
    """The plan with the digest of these lines, and their pages."""
    import msgspec

    head = digest_head(plan.kind, plan.as_of, plan.crm, plan.policy_digest, plan.mapping_digest)
    pages, digest = paged(lines, plan.trims, head)
    return msgspec.structs.replace(plan, digest=digest, units=len(lines)), pages


class OnePlan:
    """The part of a store that a view of lines asks."""

    def __init__(self, lines: Sequence[PlanLine]) -> None:
        self._plan, self._pages = with_digest(a_plan(), lines)
        self.plans = self

    def get(self, plan: str) -> Plan:
        return self._plan

    def pages(self, plan: str) -> Iterator[bytes]:
        return iter(self._pages)


def holding(lines: Sequence[PlanLine]) -> Store:
    return cast("Store", OnePlan(lines))


def keep(store: SqlStore, id: str, lines: Sequence[PlanLine], **fields: Any) -> Plan:
    """A plan in a real store."""
    plan, pages = with_digest(a_plan(id, **fields), lines)
    store.plans.save(plan, pages, ENTRY)
    return plan


def sets(*words: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), unique=True, max_size=len(words)).map(tuple)


def _said(reasons: tuple[str, ...], disposition: str, **fields: Any) -> PlanLine:
    goes = reasons == ("EXPIRED",)
    return PlanLine(
        outcome="dispose" if goes else "retain", disposition=disposition if goes else None, reason=reasons[0], reasons=reasons, **fields
    )


# Few values of each kind, so that lines share them; ids with what a search might take for a pattern.
any_line = st.builds(
    _said,
    st.sampled_from([("EXPIRED",), ("NOT_EXPIRED",), ("HOLD_LEGAL", "NOT_EXPIRED"), ("OPEN_DOSSIER",)]),
    st.sampled_from(["delete", "anonymise"]),
    table=st.sampled_from(["cf_dossier", "cf_fiche", "contact"]),
    id=st.text("ab1.*-[", min_size=1, max_size=4),
    retention_end=st.none() | DAYS,
    flags=sets("BIRTHDATE_APPROXIMATE", "REVIEW_DUE"),
    categories=sets("runaway", "exploitation_ict", "recording"),
    rule=st.sampled_from(["RET-08", "RET-20"]),
    policy_version=st.sampled_from(["2026-1", "2026-2"]),
    etag=st.sampled_from(['W/"1"', 'W/"2"', ""]),
    anchor=st.none() | st.sampled_from(["closed_on", "birth_date"]),
    anchor_on=st.none() | DAYS,
)
any_lines = st.lists(any_line, max_size=25)
