"""Whether the record of everything is whole, and the evidence pack: what the commands `ledger verify` and
`evidence` do."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.services import Busy
from crm_compliance.console.frame.visit import Visit
from crm_compliance.host.files import folder_aside
from crm_compliance.proof import verify_ledger, write_evidence
from jobs.model.last_verification import Verifier
from rules.model.roles import Act

_AT_A_TIME: Final = threading.BoundedSemaphore(1)  # each reads the whole ledger


def show(visit: Visit) -> Response:
    """Show how the last verification went."""
    return visit.page("history/proof.html.j2", last=visit.services.store.verifications.last())


def verify(visit: Visit) -> Response:
    """Verify the ledger now, and show what was found. Raises DiskProblem: that cannot be kept."""
    services = visit.services
    with _alone():
        verify_ledger(services.settings, services.store, services.clock, by=Verifier.CONSOLE, must_keep=True)
    return visit.see("/history/proof")


def download_evidence(visit: Visit) -> Response:
    """Have the evidence pack made, and send it; what was written on the way is removed."""
    services = visit.services
    with ExitStack() as stack:
        path = stack.enter_context(folder_aside()) / "evidence.zip"
        with _alone():
            write_evidence(services.settings, services.store, services.clock, path, lambda _: None)
        sent = stack.pop_all()
    name = f"evidence-{visit.services.calendar.day(visit.now).isoformat()}.zip"
    after = BackgroundTask(sent.close)
    return FileResponse(path, media_type="application/zip", filename=name, headers=dict(PAGE), background=after)


@contextmanager
def _alone() -> Iterator[None]:
    """Raise Busy where somebody else has the whole ledger read at this moment."""
    if not _AT_A_TIME.acquire(blocking=False):
        raise Busy("somebody else has the whole ledger read at this moment", hint="try again in a minute")
    try:
        yield
    finally:
        _AT_A_TIME.release()


ENDPOINTS: Final = (
    get("/history/proof", show, Act.SEE_HISTORY),
    post("/history/proof/verification", verify, Act.SEE_HISTORY),
    post("/history/proof/evidence", download_evidence, Act.SEE_HISTORY),
)
