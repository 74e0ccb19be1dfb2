"""What another schedule would do to what is in the CRM now: decided by both, written nowhere."""

from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.policy.versions import version_of, versions_of
from crm_compliance.console.work.acts import TRY
from crm_compliance.console.work.process import Asked
from crm_compliance.console.work.trial import Trial
from jobs.plans.questions.simulate import CHANGES
from rules.decoders import decoder_of
from rules.errors import PolicyError, UsageError
from rules.model.roles import Act
from rules.policy.loader import load_policy

SUBJECT: Final = "simulation"
FILE_BYTES: Final = 256 * 1024  # nine times the shipped one: reading YAML takes seconds for a megabyte
AROUND_BYTES: Final = 4 * 1024  # of a form with a file
MONTHS_SHOWN: Final = 12


def show(visit: Visit) -> Response:
    """Show how the last simulation stands; htmx asks again until it is over."""
    last = visit.services.background.of(SUBJECT)
    found = decoder_of(Trial).decode(last.made) if last is not None and last.is_over and last.made else None
    values: dict[str, Any] = {
        "last": last,
        "found": found,
        "changes": CHANGES,
        "months": found.forecast[:MONTHS_SHOWN] if found is not None else (),
        "names": {key: visit.category(key) for key in found.by_category} if found is not None else {},
    }
    if visit.is_part:
        return visit.part("policy/simulated.html.j2", **values)
    known = [each for each in versions_of(visit) if not each.is_in_force]
    return visit.page(
        "policy/simulation.html.j2", known=known, may_start=visit.may(Act.PLAN), file_bytes=FILE_BYTES - AROUND_BYTES, **values
    )


def start(visit: Visit) -> Response:
    """Begin to decide on every unit by the schedule in force and by the one that was given, as `policy
    simulate` does; the page looks for the end of it."""
    text, source = _given(visit)
    person, details = visit.person, {"schedule": text, "source": source}
    visit.services.begin(Asked(act=TRY, subject=SUBJECT, who=person.who, role=person.role, now=visit.now, details=details))
    return visit.see("/policy/simulation")


def _given(visit: Visit) -> tuple[str, str]:
    """Return the schedule to try, and what to call it: a file, else a version that is known. Raises
    UsageError: a file that is not a schedule, or neither."""
    file = visit.form.get("file")
    if isinstance(file, UploadFile) and file.size:
        try:
            text, source = file.file.read(FILE_BYTES).decode("utf-8"), str(visit.say("the file"))  # goes to a process
        except UnicodeDecodeError:
            raise UsageError("this is not a text in UTF-8", where="file", hint="a schedule is a YAML file") from None
        try:
            load_policy(text, source=source)
        except PolicyError as error:  # of what somebody tries: nothing is wrong with the service
            refused = UsageError(visit.say("This schedule is not in order. Nothing was tried."), where=error.where, hint=error.hint)
            refused.problems = error.problems
            raise refused from None
        return text, source
    digest = visit.given("version")
    if not digest:
        raise UsageError("the schedule to try is missing", where="file", hint="choose a file or a version")
    known = version_of(versions_of(visit), digest)
    return known.text, known.policy.version


ENDPOINTS: Final = (
    get("/policy/simulation", show, Act.SEE_REPORTS),
    post("/policy/simulation", start, Act.PLAN, form_bytes=FILE_BYTES),
)
