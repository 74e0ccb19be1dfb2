"""A CRM on a virtual clock, for benchmarks/throughput.py: the emulator's own service protection, and answers
that slow down under load.

Nothing here knows the client's account: the limits are those of `connectors/emulator/conditions/limits.py`,
one window for each application user and web server, and a balancer picks the server at random.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from connectors.emulator.conditions.limits import Allowance, Limits
from connectors.emulator.errors import WebApiError

OVERHEAD_S = 0.03  # of a request, beside its operations
WAY_S = 0.02  # there and back


@dataclass(frozen=True)
class Scenario:
    """One kind of work on one kind of organisation. `slow` are times (from, to, factor) at which the people
    slow everything down."""

    name: str
    title: str
    operation_s: float  # the mean, when nothing else goes on
    spread: float = 0.3  # standard deviation of one operation, as a part of the mean
    cascades: tuple[float, float] = (0.0, 1.0)  # part of the operations that take so many times longer
    users: int = 1
    servers: int = 1
    parallel: int = 8  # what one web server does at once without slowing down; it says so in x-ms-dop-hint
    most_operations: int = 100
    slow: tuple[tuple[float, float, float], ...] = ()
    stranger_every_s: float = 0.0  # another program under the same application user
    duration_s: float = 1_800.0

    @property
    def mean_s(self) -> float:
        return self.operation_s * (1 + self.cascades[0] * (self.cascades[1] - 1))

    def slowness(self, at: float) -> float:
        return next((factor for start, end, factor in self.slow if start <= at < end), 1.0)

    def ceiling(self, reserved_share: float) -> float:
        """Rows a second that no client can exceed in the long run: requests, execution time and the servers'
        own strength, at the best size of a batch that keeps a request within ten seconds."""
        allowed = Allowance()
        steps = [step + 0.5 for step in range(int(self.duration_s))]
        strength = sum(1 / self.slowness(step) for step in steps) / len(steps)
        best = 0.0
        for size in range(1, self.most_operations + 1):
            if size > 1 and size * self.mean_s > 10:
                break
            accounts = self.users * self.servers * (1 - reserved_share) / allowed.window_s
            strangers = size / self.stranger_every_s if self.stranger_every_s else 0.0
            by_requests = accounts * allowed.requests * size - strangers
            row_s = self.mean_s + OVERHEAD_S / size
            by_time = accounts * allowed.execution_s / row_s * strength
            by_servers = self.servers * self.parallel / row_s * strength
            best = max(best, min(by_requests, by_time, by_servers))
        return best


@dataclass
class Reply:
    """An answer as a client sees it."""

    status: int
    headers: dict[str, str]
    seconds: float


@dataclass
class Crm:
    """Events in the order of their time; `refused` counts the 429s, `avoidable` those that a client could
    have foreseen: its own use alone had reached a limit, or an answer had asked this user to wait."""

    scenario: Scenario
    seed: int = 1
    forgiving: bool = False  # a request that is sent too soon makes the wait no longer, unlike what is documented
    now: float = 0.0
    refused: int = 0
    avoidable: int = 0
    least_free: float = 1.0
    peak: int = 0
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _under_way: int = 0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self.limits = Limits(enabled=True)
        self._ours = Limits(enabled=False)  # the same account without the strangers
        self._asked_until: dict[int, float] = {}
        self._running = [0] * self.scenario.servers
        if self.scenario.stranger_every_s:
            self.after(0.0, self._stranger)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, act))

    def run(self) -> None:
        while self._events and self._events[0][0] <= self.scenario.duration_s:
            self.now, _, act = heapq.heappop(self._events)
            act()

    def send(self, user: int, operations: int, done: Callable[[Reply], None]) -> None:
        """A batch; `done` is called when the answer is there."""
        began = self.now
        server = self._random.randrange(self.scenario.servers)
        names = f"user{user}", f"server{server}"
        self._under_way += 1
        self.peak = max(self.peak, self._under_way)

        def answer(status: int, more: dict[str, str]) -> None:
            headers = {"x-ms-dop-hint": str(self.scenario.parallel), "Set-Cookie": f"ARRAffinity={names[1]}; path=/; secure; HttpOnly"}
            headers |= dict(self.limits.headers(*names)) | more

            def arrive() -> None:
                self._under_way -= 1
                if status == 429:
                    self._asked_until[user] = max(self._asked_until.get(user, 0.0), self.now + float(more["Retry-After"]))
                done(Reply(status, headers, self.now - began))

            self.after(WAY_S / 2, arrive)

        def arrive() -> None:
            self._ours.account(*names).slide(self.now, self._ours.allowance.window_s)
            account = self.limits.account(*names)
            blocked_until = account.blocked_until
            try:
                self.limits.enter(*names, self.now)
            except WebApiError as refusal:
                if self.forgiving and self.now < blocked_until:
                    account.blocked_until = blocked_until
                self.refused += 1
                self.avoidable += self._is_ours(*names) or began < self._asked_until.get(user, 0.0)
                answer(429, dict(refusal.headers))
                return
            self._ours.enter(*names, self.now)
            self._running[server] += 1
            load = max(1.0, self._running[server] / self.scenario.parallel) * self.scenario.slowness(self.now)
            seconds = (OVERHEAD_S + sum(self._operation_s() for _ in range(operations))) * load
            self.after(seconds, lambda: leave(seconds))

        def leave(seconds: float) -> None:
            self._running[server] -= 1
            self.limits.leave(*names, self.now, seconds)
            self._ours.leave(*names, self.now, seconds)
            self._note_free(names[0])
            answer(200, {})

        self.after(WAY_S / 2, arrive)

    def _note_free(self, user: str) -> None:
        """What all servers together still allow this user."""
        accounts = [self.limits.account(user, f"server{number}") for number in range(self.scenario.servers)]
        for one in accounts:
            one.slide(self.now, self.limits.allowance.window_s)
        requests = sum(one.requests for one in accounts) / self.limits.allowance.requests / len(accounts)
        seconds = sum(one.execution_s for one in accounts) / self.limits.allowance.execution_s / len(accounts)
        self.least_free = min(self.least_free, 1 - requests, 1 - seconds)

    def _is_ours(self, user: str, server: str) -> bool:
        account, allowed = self._ours.account(user, server), self.limits.allowance
        return account.requests >= allowed.requests or account.execution_s >= allowed.execution_s or account.running >= allowed.concurrent

    def _operation_s(self) -> float:
        scenario = self.scenario
        factor = scenario.cascades[1] if self._random.random() < scenario.cascades[0] else 1.0
        return max(0.1, self._random.gauss(1.0, scenario.spread)) * scenario.operation_s * factor

    def _stranger(self) -> None:
        name = f"server{self._random.randrange(self.scenario.servers)}"
        wait_s = self.scenario.stranger_every_s
        try:
            self.limits.enter("user0", name, self.now)
        except WebApiError as refusal:
            wait_s = float(refusal.headers["Retry-After"])  # they wait too; that is not counted here
        else:
            self.limits.leave("user0", name, self.now, 0.05)
        self.after(wait_s, self._stranger)


SCENARIOS = (
    Scenario("single", "Rows one by one, 40 ms each: the number of requests is the limit", 0.04, most_operations=1),
    Scenario("fast", "Batches of rows of 40 ms: execution time is the limit", 0.04, parallel=8),
    Scenario("cascades", "Deletes that cascade, 1 s each, some 5 s, on a small organisation", 0.7, cascades=(0.1, 5.0), parallel=4),
    Scenario("two users", "Two application users, three web servers; people make all three times slower for five minutes",
             0.1, users=2, servers=3, parallel=8, slow=((600.0, 900.0, 3.0),)),
    Scenario("stranger", "Another program works under the same application user, two requests a second", 0.04,
             most_operations=1, stranger_every_s=0.5),
)  # fmt: skip
