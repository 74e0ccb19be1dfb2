"""Service protection: what one user may ask of one web server in a sliding window of five minutes. A web
server is what the ARRAffinity cookie names; callers without a cookie all meet the same one."""

from collections import deque
from dataclasses import dataclass, field

from connectors.emulator.errors import WebApiError

MAX_PENALTY_S = 900.0


@dataclass
class Allowance:
    """The documented defaults of service protection; tests may ask for less."""

    requests: int = 6_000
    execution_s: float = 1_200.0
    concurrent: int = 52
    window_s: int = 300


@dataclass
class _Second:
    at: int
    requests: int = 0
    execution_s: float = 0.0


@dataclass
class _Account:
    seconds: deque[_Second] = field(default_factory=deque)
    requests: int = 0
    execution_s: float = 0.0
    running: int = 0
    blocked_until: float = 0.0
    blocked_by: str = ""

    def slide(self, now: float, window_s: int) -> None:
        if self.seconds and self.seconds[-1].at > now + 1:  # the clock was set back
            self.seconds.clear()
            self.requests, self.execution_s, self.blocked_until = 0, 0.0, 0.0
        while self.seconds and self.seconds[0].at <= now - window_s:
            gone = self.seconds.popleft()
            self.requests -= gone.requests
            self.execution_s -= gone.execution_s

    def current(self, now: float) -> _Second:
        if not self.seconds or self.seconds[-1].at != int(now):
            self.seconds.append(_Second(int(now)))
        return self.seconds[-1]

    def free_in(self, now: float, window_s: int, requests: int, execution_s: float) -> float:
        """Return the seconds until the oldest requests have left the window and there is room again."""
        left, spent = self.requests, self.execution_s
        for second in self.seconds:
            left -= second.requests
            spent -= second.execution_s
            if left < requests and spent < execution_s:
                return max(1.0, second.at + window_s - now)
        return float(window_s)


class Limits:
    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.allowance = Allowance()
        self._accounts: dict[tuple[str, str], _Account] = {}

    def clear(self) -> None:
        self._accounts.clear()

    def account(self, user: str, server: str) -> _Account:
        found = self._accounts.get((user, server))
        if found is None:
            found = self._accounts[user, server] = _Account()
        return found

    def enter(self, user: str, server: str, now: float) -> None:
        """Count a request in. Raises WebApiError: 429 with `Retry-After`, longer when asked before."""
        account, allowed = self.account(user, server), self.allowance
        account.slide(now, allowed.window_s)
        if self.enabled:
            if now < account.blocked_until:
                account.blocked_until = min(account.blocked_until + 1.0, now + MAX_PENALTY_S)
                raise self._refusal(account.blocked_by, account.blocked_until - now)
            code = ""
            if account.requests >= allowed.requests:
                code = "0x80072322"
            elif account.execution_s >= allowed.execution_s:
                code = "0x80072321"
            if code:
                account.blocked_by = code
                account.blocked_until = now + account.free_in(now, allowed.window_s, allowed.requests, allowed.execution_s)
                raise self._refusal(code, account.blocked_until - now)
            if account.running >= allowed.concurrent:
                raise self._refusal("0x80072326", 2.0)
        account.current(now).requests += 1
        account.requests += 1
        account.running += 1

    def leave(self, user: str, server: str, now: float, seconds: float) -> None:
        """Count a request out, with the time it took."""
        account = self.account(user, server)
        account.running = max(0, account.running - 1)
        account.slide(now, self.allowance.window_s)
        account.current(now).execution_s += seconds
        account.execution_s += seconds

    def headers(self, user: str, server: str) -> list[tuple[str, str]]:
        """Return what is left. Without limits that is all of it: who goes by the headers would wait for
        nothing, and by a clock that was set for ever."""
        account, allowed = self.account(user, server) if self.enabled else _Account(), self.allowance
        return [
            ("x-ms-ratelimit-burst-remaining-xrm-requests", str(max(0, allowed.requests - account.requests))),
            ("x-ms-ratelimit-time-remaining-xrm-requests", f"{max(0.0, allowed.execution_s - account.execution_s):,.2f}"),
        ]

    def _refusal(self, code: str, retry_after_s: float) -> WebApiError:
        allowed = self.allowance
        window = f"over time window of {allowed.window_s} seconds."
        message = {
            "0x80072322": f"Number of requests exceeded the limit of {allowed.requests} {window}",
            "0x80072321": "Combined execution time of incoming requests exceeded limit of "
            f"{allowed.execution_s * 1000:,.0f} milliseconds {window} "
            "Decrease number of concurrent requests or reduce the duration of requests and try again later.",
            "0x80072326": f"Number of concurrent requests exceeded the limit of {allowed.concurrent}.",
        }[code]
        return WebApiError(429, code, message, {"Retry-After": str(max(1, round(retry_after_s + 0.5)))})
