"""Rows of the schedule for gifts, courses and agreements, which a controller may put in force (2.3)."""

from typing import Any

from tests.rules.builders import a_policy

PAYMENT: dict[str, Any] = {
    "type": "end_of_calendar_year_after",
    "years": 10,
    "anchor": "booked_on",
    "disposition": "delete",
    "unit": "donation",
}
DONOR: dict[str, Any] = {"type": "years_after", "years": 3, "anchor": "booked_on", "disposition": "delete", "unit": "contact"}
NEWSLETTER: dict[str, Any] = {"type": "no_term", "disposition": "retain", "unit": "contact"}
COURSE: dict[str, Any] = {"type": "years_after", "years": 2, "anchor": "held_on", "disposition": "delete", "unit": "enrolment"}
VOLUNTEER: dict[str, Any] = {
    "type": "years_after",
    "years": 5,
    "anchor": "ended_on",
    "disposition": "delete",
    "unit": "engagement",
    "kinds": ["volunteer"],
}
ROWS = {
    "donor_payment": PAYMENT,
    "donor_profile": DONOR,
    "newsletter": NEWSLETTER,
    "training_participant": COURSE,
    "volunteer": VOLUNTEER,
    "employee": {**VOLUNTEER, "kinds": ["employee"], "type": "no_term", "disposition": "retain"},
}
del ROWS["employee"]["years"], ROWS["employee"]["anchor"]
EVERYTHING_ON = a_policy(ROWS)
