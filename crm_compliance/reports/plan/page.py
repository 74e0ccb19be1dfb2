"""The report as one HTML file that explains itself: opened from a mail or a share, on a telephone or on
paper, without a network."""

from collections.abc import Iterator
from importlib.resources import files

from markupsafe import Markup

from crm_compliance.reports.parts.links import safe_link
from crm_compliance.reports.parts.sentences import ALARMS, SKIPS, WHY, bypass_sentence, grouped, queue_sentence
from crm_compliance.reports.parts.template import template
from crm_compliance.reports.plan import charts
from crm_compliance.reports.plan.model import DryRunReport
from jobs.model.plan import CategoryCounter, Counter

CHART_BARS = 12  # categories drawn; the table beside the chart has them all
OPEN_UP_TO = 100  # a longer list is folded, so that the reader reaches the next section
CRM_LIST = 200  # hold changes shown one by one


def page_pieces(report: DryRunReport) -> Iterator[str]:
    """Yield the page in pieces, in order, so a plan with many disposals is never in memory as one string."""
    yield from template("dry_run.html.j2").generate(
        report=report,
        listing=report.listing(),
        plan=report.plan,
        css=Markup(
            files("crm_compliance.reports").joinpath("templates/report.css").read_text("utf-8")
        ),  # ours: no value of a plan is in it
        charts=_charts(report),
        breaker=[("Units", report.plan.breaker.units), ("Recordings", report.plan.breaker.recordings)],
        limited=[(key, counter) for key, counter in report.plan.breaker.categories.items() if counter.tripped],
        why=[(code, WHY.get(code, "")) for code in report.plan.why],
        alarms=[(alarm, ALARMS.get(alarm.code, "")) for alarm in report.plan.alarms],
        waiting=[(code, number, SKIPS.get(code, "")) for code, number in report.plan.waiting.items()],
        queue=queue_sentence(report.plan.queue) if report.plan.queue is not None and report.plan.queue.units else "",
        bypass=[bypass_sentence(word, number) for word, number in report.plan.bypass.items()],
        approved=[approval.role for approval in report.plan.given if approval.approves],
        address=lambda table, row: safe_link(report.link(table, row)),
        RECORDING=("recording",),  # says no more than the kind of unit
        finding=finding,
        OPEN_UP_TO=OPEN_UP_TO,
        CRM_LIST=CRM_LIST,
    )


def finding(counter: Counter | CategoryCounter) -> str:
    """Return what the circuit breaker finds for one counter (RET-24)."""
    median = "too few runs for a median" if counter.median is None else f"median of the last runs {counter.median:g}"
    verdict = "above the ceiling" if counter.tripped else "within the ceiling"
    return f"{grouped(counter.planned)} planned, {verdict} of {grouped(counter.limit or 0)} ({median})"


def _charts(report: DryRunReport) -> dict[str, Markup]:
    """Return the charts; what they show is also in the table beside each."""
    ending = [c for c in report.categories if c.delete + c.anonymise][:CHART_BARS]
    return {
        "categories": charts.bar_chart(
            [(c.label, {"delete": c.delete, "anonymise": c.anonymise}) for c in ending],
            title="Units to delete and to anonymise, by category",
        ),
        "reasons": charts.bar_chart([(r.code, {"keep": r.units}) for r in report.reasons], title="Units kept, by their first reason"),
        "due_soon": charts.day_chart(report.plan.due_soon, title="Units whose retention end comes soon, by day"),
    }
