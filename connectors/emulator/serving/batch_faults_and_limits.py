"""The faults and limits that each operation of a batch meets by itself. The batch is carried out, and a
change set undone, in operations/change_sets.py."""

import time

from connectors.emulator.errors import PAYLOAD, WebApiError
from connectors.emulator.operations.change_sets import handle_batch
from connectors.emulator.organisation import Organisation
from connectors.emulator.request.batch_body import CRLF, is_batch
from connectors.emulator.request.exchange import Answer, Operation, refused
from connectors.emulator.request.faults import Fault
from connectors.emulator.request.preferences import ERROR_DETAILS, parse_preferences
from connectors.emulator.serving.wire import CutConnection

_OF_CONNECTION = ("latency", "cut_after", "truncate", "skew")  # kinds that concern the whole answer


class BatchRun:
    """The batch of one request to one web server; `met` holds the faults that its operations met and that
    concern the connection."""

    def __init__(self, organisation: Organisation, operation: Operation, server: str) -> None:
        self.organisation = organisation
        self.tables = organisation.tables
        self.switches = organisation.switches
        self.operation, self.server = operation, server
        self.met: list[Fault] = []

    def answer(self) -> Answer:
        """Run the batch. Raises `CutConnection` where a fault cuts the connection in the middle: what ran
        before that has been done."""
        self.organisation.stats.batches += 1
        preferences = parse_preferences(self.operation.headers.get("prefer"))
        cut = False
        with self.tables.transaction():
            try:
                answer = self._handled(self.operation, continue_on_error=preferences.continue_on_error)
            except WebApiError as error:
                return refused(error, annotated=preferences.wants(ERROR_DETAILS), inner=self.switches.inner_errors)
            except CutConnection:
                cut = True
        if cut:
            raise CutConnection
        if preferences.continue_on_error:
            answer.headers["Preference-Applied"] = "odata.continue-on-error"
        return answer

    def _handled(self, operation: Operation, *, continue_on_error: bool) -> Answer:
        plain = self.switches.failed_change_set == "plain"
        return handle_batch(operation, self._one, self.tables.transaction, continue_on_error=continue_on_error, plain_failures=plain)

    def _one(self, inner: Operation) -> Answer:
        service = "/" + self.operation.root.partition("://")[2].partition("/")[2]
        met = self.organisation.faults.fired(inner.method, service + inner.raw)
        self.met += [fault for fault in met if fault.kind in _OF_CONNECTION]
        if any(fault.kind == "cut_before" for fault in met):
            raise CutConnection
        answer = self._nested(inner) if is_batch(inner) else self._limited(inner, met)
        if answer.status == 429:
            self.organisation.stats.throttled += 1
        return answer

    def _nested(self, inner: Operation) -> Answer:
        if self.switches.nested_batch_refused:
            return self._refused(WebApiError(400, PAYLOAD, "Batch requests cannot be nested."))
        inner.body += CRLF  # the line end before the boundary of the outer batch belongs to that
        try:
            return self._handled(inner, continue_on_error=parse_preferences(inner.headers.get("prefer")).continue_on_error)
        except WebApiError as error:
            return self._refused(error)

    def _limited(self, inner: Operation, met: list[Fault]) -> Answer:
        """Run one operation. The switch `throttle_inside_batch` counts, and refuses, it as a request."""
        api, limits, clock = self.organisation.api, self.organisation.limits, self.organisation.clock
        if not (self.switches.throttle_inside_batch and self.switches.service_protection):
            return api.run(inner, met)
        user = inner.user
        try:
            limits.enter(user, self.server, clock.timestamp())
        except WebApiError as error:
            return self._refused(error)
        started = time.perf_counter()
        answer = api.run(inner, met)
        limits.leave(user, self.server, clock.timestamp(), time.perf_counter() - started)
        return answer

    def _refused(self, error: WebApiError) -> Answer:
        return refused(error, inner=self.switches.inner_errors)
