"""When an answer is due: receipt, the month, working days, suspension, extension (section 8; L-01 to L-28,
R-129 to R-139)."""

import json
from typing import Any

from tests.independent.asking import DPO, Asking, given
from tests.independent.case import AT, Case
from tests.independent.scenarios import scenario

PLAIN = (
    ("L-18", "2025-12-31", "2026-02-02"),
    ("L-04", "2026-01-30", "2026-03-02"),
    ("L-02", "2026-01-31", "2026-03-02"),
    ("L-05", "2026-02-28", "2026-03-30"),
    ("L-01", "2026-03-02", "2026-04-02"),
    ("L-07", "2026-03-05", "2026-04-07"),
    ("L-08", "2026-03-06", "2026-04-07"),
    ("L-09", "2026-04-01", "2026-05-04"),
    ("L-10", "2026-04-14", "2026-05-15"),
    ("L-11", "2026-04-25", "2026-05-26"),
    ("L-12", "2026-06-21", "2026-07-22"),
    ("L-13", "2026-07-15", "2026-08-17"),
    ("L-06", "2026-08-31", "2026-09-30"),
    ("L-14", "2026-10-01", "2026-11-02"),
    ("L-15", "2026-10-11", "2026-11-12"),
    ("L-16", "2026-11-25", "2026-12-28"),
    ("L-17", "2026-12-01", "2027-01-04"),
    ("L-28", "2027-02-26", "2027-03-26"),
    ("L-03", "2028-01-31", "2028-02-29"),
)
EXTENDED = (
    ("L-20", "2026-01-31", "2026-04-30"),
    ("L-22", "2026-02-25", "2026-05-26"),
    ("L-19", "2026-03-02", "2026-06-02"),
    ("L-21", "2026-11-30", "2027-03-01"),
)
STOPPED = (
    ("L-23", "2026-03-02", "2026-03-04", "2026-03-14", "2026-04-13"),
    ("L-25", "2026-05-29", "2026-06-02", "2026-07-07", "2026-08-03"),
    ("L-24", "2026-06-08", "2026-06-10", "2026-06-10", "2026-07-08"),
)
ASKED = given("Voorbeeld", "Vraag (fictief)", "1985-07-30", emails=["vraag@example.org"])


def at_noon(case: Case, day: str) -> str:
    case.clock(f"{day}T11:00:00Z")
    return f"{day}T10:30:00Z"


def received(case: Case, asking: Asking, day: str, **more: Any) -> str:
    return asking.open(ASKED, received_at=at_noon(case, day), **more)


def due(asking: Asking, request: str) -> Any:
    return asking.show(request).get("due_on")


def extend(case: Case, request: str, notified: str) -> None:
    case.ask("requests", "extend", request, "--reason", "complexity", "--notified-at", notified, *DPO)


def late(document: dict[str, Any]) -> bool:
    """Whether a request is called overdue, in whatever key."""
    values = [v for value in document.values() for v in (value if isinstance(value, list) else [value])]
    return any(str(v).upper() == "OVERDUE" for v in values) or document.get("overdue") is True


@scenario("R-129 R-130 R-131 R-132 DDL-03 DDL-04 DDL-05: the same day of the next month, else the next working day (L-01 to L-18, L-28)")
def plain(case: Case) -> None:
    asking = Asking(case)
    for name, day, right in PLAIN:
        request = received(case, asking, day)
        shown = asking.show(request)
        case.same(f"{name}: received", shown.get("received_on"), day)
        case.same(f"{name}: due", shown.get("due_on"), right)


@scenario("R-133 DDL-02 L-27: the receipt is dated by the day in Brussels, on both sides of midnight and of the clock change")
def midnight(case: Case) -> None:
    asking = Asking(case)
    case.clock("2026-10-26T11:00:00Z")
    for instant, on, by in (
        ("2026-09-14T22:10:00Z", "2026-09-15", "2026-10-15"),
        ("2026-09-14T21:59:59Z", "2026-09-14", "2026-10-14"),
        ("2026-09-15T00:10:00+02:00", "2026-09-15", "2026-10-15"),
        ("2026-09-14T20:30:00-05:00", "2026-09-15", "2026-10-15"),
        ("2026-10-24T22:30:00Z", "2026-10-25", "2026-11-25"),
        ("2026-10-25T22:30:00Z", "2026-10-25", "2026-11-25"),
        ("2026-10-25T23:00:00Z", "2026-10-26", "2026-11-26"),
    ):
        shown = asking.show(asking.open(ASKED, received_at=instant))
        case.same(f"{instant}: received, due", (shown.get("received_on"), shown.get("due_on")), (on, by))


@scenario("R-134 DDL-06: an extension adds three months to the receipt, once and rolled once (L-19 to L-22)")
def extended(case: Case) -> None:
    asking = Asking(case)
    for name, day, right in EXTENDED:
        request = received(case, asking, day)
        extend(case, request, f"{day}T10:45:00Z")
        case.same(f"{name}: due", due(asking, request), right)


@scenario("R-135 DDL-06: a notice of extension after the first due date is too late, to the second")
def too_late(case: Case) -> None:
    asking = Asking(case)
    on_time, after, later = (received(case, asking, "2026-03-02") for _ in range(3))
    case.clock("2026-04-03T09:00:00Z")
    for request, instant in ((later, "2026-04-03T08:00:00Z"), (after, "2026-04-02T22:00:00Z")):
        error = case.refused("requests", "extend", request, "--reason", "number", "--notified-at", instant, *DPO, code=5)
        case.expect("EXTENSION_TOO_LATE" in json.dumps(error).upper(), f"{instant}: no EXTENSION_TOO_LATE in {error}")
        case.same(f"{instant}: due", due(asking, request), "2026-04-02")
    extend(case, on_time, "2026-04-02T21:59:59Z")
    case.same("told in the last second", due(asking, on_time), "2026-06-02")


@scenario("R-139 DDL-06: a second extension is refused")
def twice(case: Case) -> None:
    asking = Asking(case)
    request = received(case, asking, "2026-03-02")
    extend(case, request, "2026-03-02T10:45:00Z")
    at_noon(case, "2026-03-20")
    case.refused("requests", "extend", request, "--reason", "number", "--notified-at", "2026-03-20T10:45:00Z", *DPO, code=5)
    case.same("due", due(asking, request), "2026-06-02")


@scenario("R-136 DDL-07: the clock stands still from question to answer (L-23 to L-25)")
def stopped(case: Case) -> None:
    asking = Asking(case)
    for name, day, asked, answered, right in STOPPED:
        request = received(case, asking, day)
        at_noon(case, asked)
        case.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", asked, *DPO)
        shown = asking.show(request)
        case.same(f"{name}: while it waits", (shown.get("state"), shown.get("due_on")), ("suspended", None))
        at_noon(case, answered)
        case.ask("requests", "resume", request, "--answered-on", answered, *DPO)
        case.same(f"{name}: due", due(asking, request), right)


@scenario("DDL-06 DDL-07 L-26: suspension and extension add up")
def both(case: Case) -> None:
    asking = Asking(case)
    request = received(case, asking, "2026-01-12")
    at_noon(case, "2026-01-14")
    case.ask("requests", "suspend", request, "--reason", "scope", "--asked-on", "2026-01-14", *DPO)
    at_noon(case, "2026-01-30")
    case.ask("requests", "resume", request, "--answered-on", "2026-01-30", *DPO)
    case.same("before the extension", due(asking, request), "2026-03-02")  # 12 + 16 days = 28 February, a Saturday
    extend(case, request, "2026-01-30T10:00:00Z")
    case.same("L-26: due", due(asking, request), "2026-04-28")


@scenario("R-137 DDL-07: a question within five working days stops the clock, a later one does not")
def question_in_time(case: Case) -> None:
    asking = Asking(case)
    in_time, too_late_asked = received(case, asking, "2026-06-05"), received(case, asking, "2026-06-05")
    at_noon(case, "2026-06-12")
    case.ask("requests", "suspend", in_time, "--reason", "identity", "--asked-on", "2026-06-12", *DPO)
    at_noon(case, "2026-06-15")
    spoken = case.type("requests", "suspend", too_late_asked, "--reason", "identity", "--asked-on", "2026-06-15", *DPO, "--json")
    case.expect(spoken.code in (0, 5), f"a late question exits {spoken.code}")
    case.same("asked on the fifth day", asking.show(in_time).get("state"), "suspended")
    case.same("asked on the sixth", due(asking, too_late_asked), "2026-07-06")  # 5 July is a Sunday
    at_noon(case, "2026-06-22")
    case.ask("requests", "resume", in_time, "--answered-on", "2026-06-22", *DPO)
    case.type("requests", "resume", too_late_asked, "--answered-on", "2026-06-22", *DPO, "--json")
    case.same("asked on the fifth day: due", due(asking, in_time), "2026-07-15")
    case.same("asked on the sixth: due after the answer", due(asking, too_late_asked), "2026-07-06")


@scenario("R-138 DDL-11: overdue from the first instant of the next day in Brussels")
def overdue(case: Case) -> None:
    asking = Asking(case)
    request = received(case, asking, "2026-03-02")
    for instant, is_late in (("2026-04-02T21:59:59Z", False), ("2026-04-02T22:00:00Z", True)):
        case.clock(instant)
        shown = asking.show(request)
        case.same(f"{instant}: overdue in {shown}", late(shown), is_late)
        case.same("due stays", shown.get("due_on"), "2026-04-02")


@scenario("DDL-07: overlapping suspensions count once, and an open one leaves no due date")
def overlapping(case: Case) -> None:
    asking = Asking(case)
    request = received(case, asking, "2026-03-02")
    at_noon(case, "2026-03-04")
    case.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-03-04", *DPO)
    at_noon(case, "2026-03-06")
    case.type("requests", "suspend", request, "--reason", "scope", "--asked-on", "2026-03-06", *DPO, "--json")
    at_noon(case, "2026-03-14")
    case.ask("requests", "resume", request, "--answered-on", "2026-03-14", *DPO)
    shown = asking.show(request)
    if shown.get("state") == "suspended":  # a second question of its own
        case.ask("requests", "resume", request, "--answered-on", "2026-03-14", *DPO)
    case.same("due", due(asking, request), "2026-04-13")


@scenario("DDL-14 DDL-15: two rights in one message have a due date each, and are extended one by one")
def two_rights(case: Case) -> None:
    asking = Asking(case)
    access = received(case, asking, "2026-03-02")
    erasure = asking.open(ASKED, right="erasure", received_at="2026-03-02T10:30:00Z")
    case.expect(access != erasure, "two rights have one id")
    extend(case, access, "2026-03-02T10:45:00Z")
    case.same("due", (due(asking, access), due(asking, erasure)), ("2026-06-02", "2026-04-02"))
    at_noon(case, "2026-03-09")
    later = asking.open(ASKED, received_at="2026-03-09T10:30:00Z")
    case.same("a second request on the same subject", due(asking, later), "2026-04-09")


@scenario("DDL-08: without an answer the request is closed after ninety days, and not before")
def never_answered(case: Case) -> None:
    asking = Asking(case)
    request = received(case, asking, "2026-03-02")
    at_noon(case, "2026-03-03")
    case.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-03-03", *DPO)
    for day, closed in (("2026-05-30", False), ("2026-06-05", True)):  # day 88 and day 94 after the question
        at_noon(case, day)
        case.round()
        case.same(f"closed on {day}", asking.show(request).get("state") == "closed", closed)
    outcome = asking.outcome(request)
    case.expect(outcome == "NOT_IDENTIFIED" or "RF-01" in outcome, f"outcome {outcome}")


@scenario("DDL-10: the calendar has due dates and alarms, and names nobody")
def calendar(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    request = asking.open(person.given())
    case.ask("requests", "calendar", "--output", "due.ics")
    text = (case.folder / "due.ics").read_bytes().decode()
    case.expect(text.startswith("BEGIN:VCALENDAR\r\n") and text.rstrip().endswith("END:VCALENDAR"), "no calendar file")
    case.expect("20261228" in text and request in text.replace("\r\n ", ""), "the due date or the request is missing")
    case.expect(all(len(line.encode()) <= 75 for line in text.split("\r\n")), "a line is longer than 75 octets")
    names = [word for word in ("kx", "example.org", person.row) if word in text]
    case.same("words of the person", names, [])


@scenario("R-105 DDL-09: with a refusal decided, no extension")
def refusal(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", child=child.row)
    case.load()
    request = asking.ready(child.given(), [child.row], right="erasure")
    case.ask("requests", "decide", request, "--refuse", "RF-02", *DPO)
    case.refused("requests", "extend", request, "--reason", "complexity", "--notified-at", AT, *DPO, code=5)
    case.same("due", due(asking, request), "2026-12-28")
    case.same("the dossier", case.there("cf_dossier", dossier), [True])


@scenario("DDL-07: dates of a question that cannot be are refused, and the due date stays")
def odd_dates(case: Case) -> None:
    asking = Asking(case)
    request = received(case, asking, "2026-11-20")
    at_noon(case, "2026-11-25")
    for args in (
        ("suspend", "--reason", "identity", "--asked-on", "2026-11-19"),
        ("suspend", "--reason", "identity", "--asked-on", "2026-11-26"),
        ("suspend", "--reason", "identity", "--asked-on", "2026-02-30"),
        ("suspend", "--reason", "curiosity", "--asked-on", "2026-11-25"),
        ("resume", "--answered-on", "2026-11-25"),
        ("extend", "--reason", "holiday", "--notified-at", AT),
        ("extend", "--reason", "number", "--notified-at", "2026-12-01T10:00:00Z"),
    ):
        case.refused("requests", args[0], request, *args[1:], *DPO, code=(2, 5))
    case.same("due", due(asking, request), "2026-12-21")  # 20 December is a Sunday
    case.ask("requests", "suspend", request, "--reason", "identity", "--asked-on", "2026-11-25", *DPO)
    case.refused("requests", "resume", request, "--answered-on", "2026-11-24", *DPO, code=(2, 5))
    case.same("state", asking.show(request).get("state"), "suspended")
