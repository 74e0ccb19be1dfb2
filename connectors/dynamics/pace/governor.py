"""How hard one application user works: how many batches at once, how large, how soon. Pure decisions; the
time is an argument.

Concurrency starts low, grows while answers stay as quick as they were, and shrinks when they slow down or the
CRM refuses. Starts are spread so that the allowance (allowance.py) is used evenly and never exceeded. The
same governor drives the simulation in benchmarks/throughput.py."""

import math
from dataclasses import dataclass

from connectors.dynamics.pace.allowance import NOTHING_TOLD, Allowance, Hints
from rules.errors import UsageError

LONGEST_REQUEST_S = 10.0  # Sql4Cds keeps to the same
AIM_S = 8.0
HEALTHY, SLOW = 1.2, 2.0  # times the usual: below, there may be more at once; above, it must be fewer
DOUBTFUL_ROUNDS = 5  # how many rounds answers may be slower than usual before concurrency is reduced
LEAST_ROUND = 4  # answers that a judgement is based on
CREDIT_S = 30.0  # after a pause of our own (reading, deciding), so much of the even pace may be caught up
LOOK_S = 2.0
GUESS_S = 0.1  # for an operation, before anything was measured


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard we may work, for each application user. The limits are the defaults of Microsoft Learn,
    "Service protection API limits"; `reserved_share` of each is left to others."""

    concurrency: int = 16  # batches
    reads: int = 1
    reserved_share: float = 0.25
    shared_by: int = 1  # application users who work at the same time
    first_operations: int = 10  # in a batch (Microsoft Learn, "Optimize performance for bulk operations")
    requests: int = 6_000
    execution_s: float = 1_200.0
    concurrent: int = 52
    window_s: float = 300.0

    def __post_init__(self) -> None:
        if not 1 <= self.concurrency <= self.concurrent:
            raise UsageError(f"There are 1 to {self.concurrent} requests at once, not {self.concurrency}.")
        if not 1 <= self.reads <= self.concurrent:
            raise UsageError(f"There are 1 to {self.concurrent} reads at once, not {self.reads}.")
        if not 0 <= self.reserved_share <= 0.9:
            raise UsageError(f"The share of others is 0 to 0.9, not {self.reserved_share}.")


ONE_AT_A_TIME = Pace(concurrency=1, first_operations=1_000)


@dataclass(frozen=True, slots=True)
class Observation:
    """One answer: its time, operations (0: a read), status (0: lost) and what its headers say."""

    seconds: float
    operations: int
    status: int
    retry_after_s: float = 0.0
    hints: Hints = NOTHING_TOLD


class Governor:
    """Decides for one application user. `begin` and `end` enclose a batch; `observe` receives every answer,
    reads included."""

    def __init__(self, pace: Pace, most_operations: int) -> None:
        self.pace = pace
        self.allowance = Allowance(pace.requests, pace.execution_s, pace.window_s, pace.reserved_share)
        self.running = 0
        self.operations = min(pace.first_operations, most_operations)
        self._most_operations = most_operations
        self._pending_operations = 0
        self._limit = min(2, pace.concurrency)
        self._ceiling = min(pace.concurrency, max(1, int(pace.concurrent * (1 - pace.reserved_share))))
        self._hint: int | None = None
        self._paused_until = -math.inf
        self._next_at = -math.inf
        self._looked_at = -math.inf
        self._per_operation: float | None = None
        self._usual: float | None = None
        self._recent = 0.0
        self._answers = self._doubtful = 0
        self._was_full = False

    @property
    def limit(self) -> int:
        """How many batches may run at once now."""
        return min(self._limit, self.ceiling)

    @property
    def ceiling(self) -> int:
        """What the CRM recommends (x-ms-dop-hint) for each of its web servers, shared by all users, as far as
        settings and limits allow."""
        if self._hint is None:
            return self._ceiling
        recommended = self._hint * max(1, len(self.allowance.servers)) / self.pace.shared_by
        return min(self._ceiling, max(2, int(recommended)))

    @property
    def readers(self) -> int:
        """How many reads may be under way at once: what the CRM recommends, as far as settings allow."""
        if self._hint is None:
            return self.pace.reads
        return min(self.pace.reads, max(2, self._hint * max(1, len(self.allowance.servers))))

    def wait_s(self, now: float) -> float:
        """Return how long until the next batch may start; infinite: not before one has ended."""
        if self.running >= self.limit:
            self._was_full = True
            return math.inf
        expected_s = self._expected_s(self.operations)
        due_s = max(self._next_at - now, self.allowance.wait_s(now, expected_s, self.running, self._expected_s(self._pending_operations)))
        return max(self._paused_s(now), self._or_look_s(now, due_s))

    def read_wait_s(self, now: float) -> float:
        """Return how long a read has to wait: it shares the pause and the account, but is neither paced nor
        counted among the batches."""
        due_s = self.allowance.wait_s(now, GUESS_S, self.running, self._expected_s(self._pending_operations))
        return max(self._paused_s(now), self._or_look_s(now, due_s))

    def begin(self, now: float, operations: int) -> None:
        """Record the start of a batch."""
        expected_s = self._expected_s(operations)
        gap_s = self.allowance.gap_s(now, expected_s, self.running, self._expected_s(self._pending_operations))
        self._next_at = max(self._next_at, now - min(CREDIT_S, self.pace.window_s / 10)) + gap_s
        self._looked_at = now
        self.running += 1
        self._pending_operations += operations

    def end(self, operations: int) -> None:
        """Record the end of a batch, whatever its outcome."""
        self.running -= 1
        self._pending_operations -= operations

    def observe(self, now: float, seen: Observation) -> None:
        """Learn from an answer, or from its loss."""
        under_way = max(0, self.running - 1) if seen.operations else self.running
        pending_s = self._expected_s(max(0, self._pending_operations - seen.operations))
        window_s = self.allowance.window_s
        self.allowance.record(now, seen.seconds, seen.hints, under_way, pending_s)
        if not seen.operations:
            self._looked_at = now  # batches look as they begin
        if self.allowance.window_s < window_s:
            self._next_at = min(self._next_at, now)  # it was due by the longer window
        self._hint = seen.hints.parallel or self._hint
        if seen.status == 429:
            self.pause(now, seen.retry_after_s)
        elif seen.status in (502, 503, 504) or (seen.operations and (seen.status == 0 or seen.status >= 500)):
            self._shrink(0.5)
        elif seen.operations:
            self._measure(seen)

    def pause(self, now: float, seconds: float) -> None:
        """Pause all of this user's work, as the CRM asks, and continue with half as much at once. One refusal
        counts once."""
        if now >= self._paused_until:
            self._shrink(0.5)
        self._paused_until = max(self._paused_until, now + seconds)

    def _paused_s(self, now: float) -> float:
        """Return the pause rounded up to quarter seconds: the CRM counts in whole ones."""
        return math.ceil(max(0.0, self._paused_until - now) * 4) / 4

    def _or_look_s(self, now: float, due_s: float) -> float:
        """Return the wait, shortened for a check whether the CRM still counts our work, since its window may
        be shorter. Only for waits that follow from our own account of the limits. Each check makes the next
        one later (`known_s`), so that there are few of them."""
        if due_s <= LOOK_S or self.running or not self.allowance.is_told:
            return max(due_s, 0.0)
        return min(due_s, max(0.0, self._looked_at + max(LOOK_S, self.allowance.known_s) - now))

    def _expected_s(self, operations: int) -> float:
        return operations * (GUESS_S if self._per_operation is None else self._per_operation)

    def _measure(self, seen: Observation) -> None:
        each_s = seen.seconds / seen.operations
        self._per_operation = each_s if self._per_operation is None else self._per_operation + 0.2 * (each_s - self._per_operation)
        if seen.seconds > LONGEST_REQUEST_S:
            self.operations = max(1, min(self.operations, int(seen.operations * AIM_S / seen.seconds)))
        else:
            aim_s = min(AIM_S, self.allowance.longest_s())
            self.operations = max(1, min(self._most_operations, 2 * self.operations, int(aim_s / max(self._per_operation, 1e-6))))
        self._judge(seen.seconds / (seen.operations + 1))  # one more, so that a short batch does not look slow for its overhead

    def _judge(self, took_s: float) -> None:
        """Compare what answers take now with what they usually take, once a round."""
        if self._usual is None:
            self._usual = self._recent = took_s
        self._recent += 0.15 * (took_s - self._recent)
        if self._limit == 1:  # alone, an answer cannot be slow because of us: this is what the work now takes
            self._usual = self._recent
        ratio = self._recent / max(self._usual, 1e-6)
        if ratio < HEALTHY:
            self._usual += 0.02 * (self._recent - self._usual)
        self._answers += 1
        if self._answers < max(self.limit, LEAST_ROUND if ratio >= HEALTHY else 1):
            return
        self._answers = 0
        if ratio >= SLOW:
            self._shrink(0.5)
        elif ratio >= HEALTHY:
            self._doubtful += 1
            if self._doubtful >= DOUBTFUL_ROUNDS:
                self._shrink(0.75)
        else:
            self._doubtful = 0
            if self._was_full:
                self._limit = min(self._limit + 1, self.ceiling)
        self._was_full = False

    def _shrink(self, factor: float) -> None:
        self._limit = max(1, int(self.limit * factor))
        self._answers = self._doubtful = 0


def operations_of(governor: Governor, waiting: int, slots: int) -> int:
    """Return how many operations the next batch should hold: what the governor aims at, but with little work
    an equal share for each slot."""
    share = -(-waiting // max(1, slots))
    return max(1, min(governor.operations, max(share, governor.pace.first_operations)))
