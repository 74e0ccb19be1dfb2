"""The yearly review of the schedule: for a meeting, on paper, and as JSON for the person who keeps the
figures. Codes, counts, days and ids only: no name, number, text or role of a person in a case (ACC-04). The
schedule itself shows who approved a version of it."""

from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files

from markupsafe import Markup
from rich.console import Console

from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.parts.sentences import advice, reason_sentence
from crm_compliance.reports.parts.template import template
from jobs.plans.questions.yearly_review import DueReview, ReviewPack
from rules.policy.rows import period_text

SUFFIXES = (".html", ".json")
OPEN_UP_TO = 100  # a longer queue is folded, so that the reader reaches the next section
SHOWN = 5  # lines of a list on a terminal


def review_document(pack: ReviewPack) -> dict[str, object]:
    """Return the pack as JSON values."""
    policy = pack.policy
    return {
        "as_of": pack.day.isoformat(),
        "since": pack.since.isoformat(),
        "policy": {"name": policy.name, "version": policy.version, "digest": policy.digest},
        "units": pack.units,
        "without_term": [{"category": key, "units": units} for key, units in pack.without_term],
        "unconfigured": [
            {"category": key, "units": units} | ({"called": pack.called[key]} if key in pack.called else {})
            for key, units in pack.unconfigured
        ],
        "unused": list(pack.unused),
        "unfilled": list(pack.unfilled),
        "off": list(pack.off),
        "reviews_due": [
            {"table": one.table, "id": one.id, "due": f"{one.due_on:%Y-%m}", "categories": list(one.categories)} for one in pack.reviews
        ],
        "in_doubt": dict(pack.doubts),
        "overrides": [
            {
                "plan": one.plan,
                "on": one.on.isoformat(),
                "why": list(one.why),
                "planned": {"units": one.units, "recordings": one.recordings},
                "roles": list(one.roles),
                "applied": one.is_applied,
            }
            for one in pack.overrides
        ],
        "holds_released": [
            {
                "hold": one.hold,
                "type": one.type,
                "table": one.table,
                "placed_on": one.placed_on.isoformat(),
                "released_on": one.released_on.isoformat(),
            }
            for one in pack.released
        ],
        "holds_review_overdue": pack.holds_overdue,
        "versions": [
            {
                "version": one.version,
                "digest": one.digest,
                "valid_from": one.valid_from.isoformat() if one.valid_from else None,
                "approvers": list(one.approvers),
                "first_used_on": one.first_on.isoformat() if one.first_on else None,
                "last_used_on": one.last_on.isoformat() if one.last_on else None,
                "plans": one.plans,
            }
            for one in pack.versions
        ],
    }


def by_month(pack: ReviewPack) -> list[tuple[str, list[DueReview]]]:
    """Return the queue by the month in which a review fell due, oldest first."""
    months: dict[str, list[DueReview]] = {}
    for one in pack.reviews:
        months.setdefault(f"{one.due_on:%Y-%m}", []).append(one)
    return list(months.items())


def review_pieces(
    pack: ReviewPack, *, labels: Mapping[str, str], link: Callable[[str, str], str], unit_name: Callable[[str], str]
) -> Iterator[str]:
    """Yield the page in pieces, in order."""
    yield from (
        template("yearly_review.html.j2").generate(
            pack=pack,
            policy=pack.policy,
            unfilled=pack.unfilled,
            months=by_month(pack),
            css=Markup(files("crm_compliance.reports").joinpath("templates/report.css").read_text("utf-8")),  # ours: no value is in it
            label=lambda key: labels.get(key) or pack.called.get(key) or key or "no category",
            period=lambda key: period_text(pack.policy.categories[key]),
            unit_name=unit_name,
            meaning=meaning,
            address=lambda table, row: safe_link(link(table, row)),
            doubts=[(code, units) for code, units in pack.doubts if units],
            OPEN_UP_TO=OPEN_UP_TO,
        )
    )


def meaning(code: str) -> str:
    """Return what a reason or a flag means."""
    return reason_sentence(code) or advice(code).sentence


def print_review(pack: ReviewPack, labels: Mapping[str, str], console: Console) -> None:
    """Print the figures of the pack; the file has the lists."""
    paper = Paper(console)
    paper.heading(f"Review of the schedule {pack.policy.name} {pack.policy.version}, {pack.day}")
    paper.line(f"{paper.number(pack.units)} units read; the year from {pack.since} on.")
    undecided = {key: labels.get(key) or pack.called.get(key) or key or "no category" for key, _ in pack.unconfigured}
    to_look_at = (
        *((f"No term: {labels.get(key, key)}", units) for key, units in pack.without_term),
        *((f"Not decided: {undecided[key]}", units) for key, units in pack.unconfigured),
        *((f"{code}: {meaning(code)}", units) for code, units in pack.doubts if units),
    )
    paper.rows("To look at", "What", "Units", of=to_look_at)
    paper.rows("Reviews due", "Since", "Units", of=((month, len(reviews)) for month, reviews in by_month(pack)[:SHOWN]))
    left = len(by_month(pack)) - SHOWN
    if left > 0:
        paper.line(f"and {left} later months.")
    paper.line()
    paper.line(f"Rows in force that no unit goes by: {', '.join(pack.unused) or 'none'}.")
    paper.line(
        f"Plans approved over a guard: {len(pack.overrides)}. Holds released: {len(pack.released)}; "
        f"past their review: {pack.holds_overdue}. Versions of the year: {', '.join(one.version for one in pack.versions)}."
    )
