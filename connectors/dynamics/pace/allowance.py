"""What one application user has used of service protection, in a sliding window and for each web server
(reference: section 7.1).

Our own account is decisive: requests, and the time that each answer took. What the CRM's headers state is
true of one web server and old when it arrives (Microsoft Learn, "Service protection API limits"). So it only
ever lowers the remaining allowance, or shows that a budget is larger than the documented one or a window
shorter."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

BURST = 0.5  # of what may be used: so much goes as fast as it can, the rest evenly over the window
MOMENTS = 50  # of the window to come, at which an even rate is tried out
STEPS = 20  # one of so many parts of a window is the longest wait by guess, and the largest part that one request may take
EVEN = 350  # requests in one window
MARGIN = 0.05  # kept free in any case: the CRM counts in whole seconds, and requests under way are counted by guess
SHORTEST_WINDOW_S = 0.5
_NUMBER = re.compile(r"[0-9]{1,3}(,[0-9]{3}){0,4}(\.[0-9]{1,6})?|[0-9]{1,12}(\.[0-9]{1,6})?")
_SERVER = re.compile(r"\bARRAffinity=([^;,\s]+)")


@dataclass(frozen=True, slots=True)
class Hints:
    """What the headers of one answer state: what remains on the web server that gave it, its name, and the
    parallelism it recommends."""

    requests_left: float | None = None
    seconds_left: float | None = None
    parallel: int | None = None
    server: str = ""


NOTHING_TOLD = Hints()


def hints_of(headers: Mapping[str, str]) -> Hints:
    """Read the headers of an answer; what is missing or not a number counts as not stated. The time has a
    thousands separator: `1,200.00`."""
    parallel = _number(headers.get("x-ms-dop-hint", ""))
    server = _SERVER.search(headers.get("Set-Cookie", ""))
    return Hints(
        _number(headers.get("x-ms-ratelimit-burst-remaining-xrm-requests", "")),
        _number(headers.get("x-ms-ratelimit-time-remaining-xrm-requests", "")),
        int(parallel) if parallel is not None and parallel >= 1 else None,
        server.group(1) if server else "",
    )


def _number(text: str) -> float | None:
    plain = text.strip()
    return float(plain.replace(",", "")) if _NUMBER.fullmatch(plain) else None


class Meter:
    """One resource (requests, or seconds of execution) at one web server."""

    def __init__(self, documented: float) -> None:
        self._documented = documented
        self._told: float | None = None
        self._others, self._others_at = 0.0, 0.0
        self._ats: list[float] = []
        self._sums: list[float] = [0.0]

    @property
    def budget(self) -> float:
        """The whole budget: what the headers have shown at most, else the documented one."""
        return self._documented if self._told is None else self._told

    def add(self, at: float, amount: float) -> None:
        """Count what an answer has cost, at the moment it came: the CRM has counted it earlier and will
        forget it earlier."""
        self._ats.append(max(at, self._ats[-1]) if self._ats else at)
        self._sums.append(self._sums[-1] + amount)

    def forget(self, before: float) -> None:
        """Drop what no window reaches any more, now and then."""
        gone = bisect_right(self._ats, before)
        if gone > 1000 and gone > len(self._ats) // 2:
            del self._ats[:gone], self._sums[:gone]

    def used(self, now: float, window_s: float) -> float:
        return self._sums[-1] - self._sums[bisect_right(self._ats, now - window_s)]

    def oldest_age(self, now: float, window_s: float) -> float:
        first = bisect_right(self._ats, now - window_s)
        return now - self._ats[first] if first < len(self._ats) else 0.0

    def age_of_newest(self, nth: int, now: float) -> float:
        """Return how long ago the nth newest entry was made, 1 being the last."""
        return now - self._ats[-min(nth, len(self._ats))] if self._ats else 0.0

    def hear(self, left: float, own: float, now: float, window_s: float, under_way: float) -> bool:
        """Take note of what a header says is left beside what this request has cost; gives whether that was
        more than ever before. What is neither left nor ours others have used: the same application user
        somewhere else, or an earlier process."""
        is_new = self._told is None or left + own > self._told
        self._told = left + own if is_new else self._told
        self._others = max(0.0, self.budget - self.used(now, window_s) - under_way - left)
        self._others_at = now
        return is_new

    def usable(self, now: float, window_s: float, share: float) -> float:
        """Return what may be used in a window: our share, without what others are known to have used."""
        usable = self.budget * share
        return usable - self._others * max(0.0, 1 - (now - self._others_at) / window_s) if self._others else usable

    def wait_s(self, now: float, window_s: float, allowed: float, needed: float, *, idle: bool) -> float:
        """Return how long until so much is free again; what is larger than the whole allowance is sent when
        nothing else is counted or running."""
        first = bisect_right(self._ats, now - window_s)
        used = self._sums[-1] - self._sums[first]
        over = used - max(allowed - needed, 0.0)
        if over <= 0 and (allowed >= needed or (idle and used <= 0)):
            return 0.0
        leaving = max(first, bisect_right(self._sums, self._sums[first] + max(over, 0.0) - 1e-9) - 1)
        if leaving >= len(self._ats):  # what is under way fills it
            return window_s / STEPS
        return max(self._ats[leaving] + window_s - now, 1e-3)

    def rate(self, now: float, window_s: float, allowed: float) -> float:
        """Return the highest even rate, per second, for a whole window without running dry."""
        ats, sums, begin, room = self._ats, self._sums, now - window_s, allowed - self._sums[-1]
        # Of what is counted now, the sums up to a moment are free again by then.
        return max(0.0, min([(room + sums[bisect_right(ats, begin + ahead)]) / ahead for ahead in _moments(window_s)]))


@lru_cache(maxsize=64)
def _moments(window_s: float) -> tuple[float, ...]:
    return tuple(window_s * step / MOMENTS for step in range(1, MOMENTS + 1))


def _share(reserved_share: float) -> float:
    """Return the part that is ours."""
    return 1 - max(reserved_share, MARGIN)


@dataclass(slots=True)
class Server:
    """One web server, as far as we know it. `known_s`: so old are requests of ours that it still counts."""

    requests: Meter
    seconds: Meter
    window_s: float
    known_s: float = 0.0
    seen_at: float = 0.0


class Allowance:
    """The account of one application user over all web servers that have answered within the last window. The
    share of others is kept free of all servers together; since a balancer spreads requests by chance, one
    server alone may be used up to half of that share, and never more."""

    def __init__(self, max_requests: float, max_execution_s: float, window_s: float, reserved_share: float) -> None:
        self._max_requests, self._max_execution_s, self._window_s = max_requests, max_execution_s, window_s
        self._share, self._share_of_one = _share(reserved_share), _share(reserved_share / 2)
        self._requests, self._seconds = Meter(max_requests), Meter(max_execution_s)
        self.servers: dict[str, Server] = {}
        self.is_told = False

    def record(self, now: float, seconds: float, hints: Hints, under_way: int, pending_s: float) -> None:
        """Count one answer."""
        server = self.servers.get(hints.server)
        if server is None:
            server = Server(Meter(self._max_requests), Meter(self._max_execution_s), self._window_s)
            self.servers[hints.server] = server
        server.seen_at = now
        for requests, time in ((server.requests, server.seconds), (self._requests, self._seconds)):
            requests.add(now, 1.0)
            time.add(now, seconds)
            requests.forget(now - self._window_s)
            time.forget(now - self._window_s)
        self.is_told = hints.requests_left is not None
        if hints.requests_left is not None:
            is_new = server.requests.hear(hints.requests_left, 1.0, now, server.window_s, under_way)
            if hints.server and not is_new:
                self._look_at_window(server, hints.requests_left, now)
        if hints.seconds_left is not None:
            server.seconds.hear(hints.seconds_left, seconds, now, server.window_s, pending_s)
        for name in [name for name, one in self.servers.items() if one.seen_at < now - self._window_s]:
            del self.servers[name]

    def wait_s(self, now: float, expected_s: float, under_way: int, pending_s: float) -> float:
        """Return how long until one more request is within the allowance, wherever it is sent: the balancer
        picks the server, we do not. Its time is counted when it is over, which may be sooner than expected:
        nothing that leaves the window until then is relied on."""
        window_s = self.window_s
        idle = under_way == 0
        requests, seconds = self._usable(now)
        wait_s = max(
            self._requests.wait_s(now, window_s, requests - under_way, 1.0, idle=idle),
            self._seconds.wait_s(now, window_s, seconds - pending_s, expected_s, idle=idle),
        )
        if len(self.servers) > 1:
            for one in self.servers.values():
                requests = one.requests.usable(now, one.window_s, self._share_of_one) - under_way
                seconds = one.seconds.usable(now, one.window_s, self._share_of_one) - pending_s
                wait_s = max(wait_s, one.requests.wait_s(now, one.window_s, requests, 1.0, idle=idle))
                wait_s = max(wait_s, one.seconds.wait_s(now, one.window_s, seconds, expected_s, idle=idle))
        return wait_s

    def gap_s(self, now: float, expected_s: float, under_way: int, pending_s: float) -> float:
        """Return how long after this start the next one is due, so that work proceeds evenly; 0 as long as
        half of the allowance is free."""
        gap_s, window_s = 0.0, self.window_s
        requests, seconds = self._usable(now)
        for meter, cost, allowed in ((self._requests, 1.0, requests - under_way), (self._seconds, expected_s, seconds - pending_s)):
            if meter.used(now, window_s) >= BURST * allowed:
                rate = meter.rate(now, window_s, allowed)
                longest_s = window_s / STEPS
                gap_s = max(gap_s, min(cost / rate, longest_s) if rate > 0 else longest_s)
        return gap_s

    @property
    def window_s(self) -> float:
        return min([server.window_s for server in self.servers.values()], default=self._window_s)

    @property
    def known_s(self) -> float:
        return min((server.known_s for server in self.servers.values()), default=0.0)

    def _usable(self, now: float) -> tuple[float, float]:
        """Return the requests and seconds that all servers together allow in one window."""
        share, servers = self._share, self.servers.values()
        if not servers:
            return self._max_requests * share, self._max_execution_s * share
        return (
            sum([one.requests.usable(now, one.window_s, share) for one in servers]),
            sum([one.seconds.usable(now, one.window_s, share) for one in servers]),
        )

    def longest_s(self) -> float:
        """Return how long one request may take, so that it is a small part of what is allowed in one window.
        Where a balancer spreads requests over several servers by chance, many small ones are distributed more
        evenly than few large ones."""
        budgets = [server.seconds.budget for server in self.servers.values()]
        allowed = min(budgets, default=self._max_execution_s) * self._share
        return allowed / (EVEN if len(self.servers) > 1 else STEPS)

    def _look_at_window(self, server: Server, left: float, now: float) -> None:
        """Shorten the window where the server counts far fewer requests than were sent: its window is shorter
        than the documented one."""
        own = server.requests.used(now, self._window_s)
        counted = max(0.0, server.requests.budget - left)
        if counted >= 0.8 * own - 2:
            server.window_s = self._window_s
            server.known_s = max(server.known_s, server.requests.oldest_age(now, self._window_s))
            return
        # The oldest that it still counts: its window is at least as long, and what it says is left guards
        # against guessing too short.
        age = max(server.requests.age_of_newest(max(int(counted), 1), now), SHORTEST_WINDOW_S)
        server.window_s = min(self._window_s, max(age, 0.8 * server.window_s + 0.2 * age) if server.window_s < self._window_s else age)
        server.known_s = server.window_s
