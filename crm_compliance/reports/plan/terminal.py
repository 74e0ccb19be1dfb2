"""The dry-run report in a terminal of 80 columns: totals, what to resolve, what to do next. Units are not
listed here; the files of `plan --output` have them. The command line prints `plan ID` after this, as the last
line."""

from rich.console import Console
from rich.text import Text

from crm_compliance.hints import in_words
from crm_compliance.reports.parts.next_steps import NextStep, print_next_steps
from crm_compliance.reports.parts.paper import Paper
from crm_compliance.reports.parts.sentences import ALARMS, SKIPS, WHY, bypass_sentence, queue_sentence
from crm_compliance.reports.plan.model import DryRunReport
from jobs.model.plan import CategoryCounter, Counter, PlanState
from rules.hints import hint_to

STYLES = {"delete": "red", "anonymise": "yellow", "keep": "green", "soon": "blue"}
STATE_STYLES = {PlanState.WAITING: "yellow", PlanState.READY: "green", PlanState.REJECTED: "red", PlanState.EXPIRED: "red"}
DAYS_SHOWN = 5


def print_plan(report: DryRunReport, console: Console) -> None:
    """Print what an administrator must know before applying, most urgent last, where the eye rests."""
    plan, paper = report.plan, Paper(console)
    _head(report, paper)
    _totals(report, paper)
    _reasons(report, paper)
    _flags(report, paper)
    _soon(report, paper)
    _holds(report, paper)
    if plan.queue is not None and plan.queue.units:
        paper.line(queue_sentence(plan.queue))
    for warning in plan.warnings:
        paper.line(Text.assemble(("Warning: ", "bold yellow"), str(warning)))
    if plan.breaker.tripped:
        counters = (("Units", plan.breaker.units), ("Recordings", plan.breaker.recordings))
        lines = [f"{name}: {_finding(counter, paper)}" for name, counter in counters]
        lines += [f"Category {key}: {_finding(counter, paper)}" for key, counter in plan.breaker.categories.items() if counter.tripped]
        body = "\n".join(lines)
        paper.panel("BREAKER_TRIPPED", f"This plan disposes of more than usual and waits for two people (RET-24).\n{body}")
    for alarm in plan.alarms:
        paper.line(Text.assemble((f"Alarm {alarm.code}: ", "bold red"), f"{alarm.message}. {ALARMS.get(alarm.code, '')}"))
    for code, number in plan.waiting.items():
        paper.line(f"{paper.number(number)} of these do not go yet, {code}: {SKIPS.get(code, '')}")
    for word, number in plan.bypass.items():
        paper.line(Text.assemble(("Bypass: ", "bold yellow"), f"{bypass_sentence(word, number)}."))
    if set(plan.why) - {"BREAKER_TRIPPED"}:
        paper.line("Needs approval by two people because:")
        for code in plan.why:
            paper.line(f"  {code}: {WHY.get(code, '')}")
    if not report.adds_up:
        paper.panel("THE OUTCOMES DO NOT ADD UP", "Do not apply this plan; report it as a fault (ACC-03).")
    read = NextStep("Read every unit with its reason, and what to do about each flag:", in_words(hint_to("show_plan", plan=plan.id)))
    print_next_steps((read, *report.next_steps), paper)


def _head(report: DryRunReport, paper: Paper) -> None:
    """Print how many units the plan is about, and what becomes of them."""
    plan = report.plan
    paper.heading(f"Dry run of {report.day}, {plan.kind}")
    state = Text.assemble("Plan ", (plan.id, "bold"), " is ", (str(report.state), STATE_STYLES.get(report.state, "")))
    paper.line(state)
    until = f"{report.clock(plan.valid_until)} {report.calendar.city} time"
    paper.line(f"Schedule {plan.policy_name} {plan.policy_version}; valid until {until}.")
    paper.line(
        Text.assemble(
            f"{paper.number(plan.units)} units read: ",
            (f"{paper.number(report.deleted)} to delete", STYLES["delete"]),
            ", ",
            (f"{paper.number(report.anonymised)} to anonymise", STYLES["anonymise"]),
            ", ",
            (f"{paper.number(report.retained)} kept", STYLES["keep"]),
            f", {paper.number(report.due_soon)} of these due soon.",
        )
    )
    past = report.past_end
    other = f", {paper.number(past.other)} kept for another reason" if past.other else ""
    paper.line(
        f"Past their end: {paper.number(past.units)} = {paper.number(past.disposed)} to dispose of + {paper.number(past.held)} held"
        f" + {paper.number(past.open)} open{other}."
    )
    paper.line(
        f"Recordings kept on the evidence mark: {paper.number(report.evidence_kept)}. Contacts to trim: {paper.number(plan.to_trim)}."
    )
    if plan.victims:
        paper.line(
            f"The CRM deletes along with them: {', '.join(f'{paper.number(n)} rows of {table}' for table, n in plan.victims.items())}."
        )
    if plan.notes_on_trimmed:
        paper.line(f"Notes and activities about these contacts, for a person to look at: {paper.number(plan.notes_on_trimmed)}.")


def _totals(report: DryRunReport, paper: Paper) -> None:
    categories = [
        _counted(paper, row.label, delete=row.delete, anonymise=row.anonymise, keep=row.retain, soon=row.due_soon)
        for row in report.categories
    ]
    caption = "A unit with several categories counts in each." if len(categories) > 1 else ""
    paper.rows("By category", "Category", "Delete", "Anonymise", "Keep", "Due soon", of=categories, numbers=4, caption=caption)
    kinds = (_counted(paper, kind.name, delete=kind.delete, anonymise=kind.anonymise, keep=kind.retain) for kind in report.tables)
    paper.rows("By kind of unit", "Kind", "Delete", "Anonymise", "Keep", of=kinds, numbers=3)


def _counted(paper: Paper, name: str, **numbers: int) -> list[Text]:
    """Return a name with its numbers, each in the colour of its kind; a zero is dimmed, so that the others
    stand out."""
    return [Text(name), *(Text(paper.number(number), style=STYLES[kind] if number else "dim") for kind, number in numbers.items())]


def _reasons(report: DryRunReport, paper: Paper) -> None:
    paper.rows("Why units are kept", "Reason", "Meaning", "Units", of=((row.code, row.sentence, row.units) for row in report.reasons))


def _flags(report: DryRunReport, paper: Paper) -> None:
    paper.rows("Flags to resolve", "Flag", "Meaning", "Units", of=((group.code, group.sentence, group.units) for group in report.flags))


def _soon(report: DryRunReport, paper: Paper) -> None:
    days = report.plan.due_soon
    if not days:
        return
    shown = ", ".join(f"{day}: {paper.number(units)}" for day, units in days[:DAYS_SHOWN])
    more = f", and {len(days) - DAYS_SHOWN} later days" if len(days) > DAYS_SHOWN else ""
    paper.line(f"\nDue soon, by retention end: {shown}{more}.")


def _holds(report: DryRunReport, paper: Paper) -> None:
    plan = report.plan
    changes = [sum(change.change == kind for change in plan.hold_changes) for kind in ("set", "cleared")]
    if plan.crm_holds or plan.hold_changes:
        held = paper.number(len(plan.crm_holds))
        paper.line(f"Under a hold flag of the CRM: {held} units; since the plan before {changes[0]} set, {changes[1]} cleared (HLD-14).")


def _finding(counter: Counter | CategoryCounter, paper: Paper) -> str:
    median = "too few runs for a median" if counter.median is None else f"median of the last runs {counter.median:g}"
    verdict = "ABOVE the ceiling" if counter.tripped else "within the ceiling"
    return f"{paper.number(counter.planned)} planned, {verdict} of {paper.number(counter.limit or 0)} ({median})"
