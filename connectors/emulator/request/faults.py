"""Scripted trouble: which requests it hits, and what happens to them.

A rule is `{"match": {"method", "path", "nth" | "every"}, "times": N, "do": KIND, …}`.

- `method`: a verb or a list of them; absent, any.
- `path`: matched against path and query, as sent and percent-decoded, anywhere in them: as plain text, with
  `*` for anything, or as a regular expression; `re:` before it makes it the last of these only. Absent, any.
- `nth`: the rule first fires on its nth match (from 1). `every`: on each nth. Neither: on each match.
- `times`: how often it fires; once for `nth`, without limit otherwise.

What each kind does, and what it takes besides:

- `status` (`status`, `retry_after`; for a 429 `code`, one of the three limits; `message`; `html`: a gateway's
  page; `empty`: no body): answers so instead of acting.
- `latency` (`ms`): waits before acting. `skew` (`s`): the Date header is off by so much.
- `cut_before`, `cut_after`: the connection breaks without an answer, before or after the server has acted.
- `truncate`: the answer announces its whole length and breaks off half-way.
- `lose_row`, `duplicate_row`: the row in the middle of a page is missing, or there twice.
- `expire_token`: 401; a token of the emulator's own endpoint is then never good again, a fixed one is refused
  this once.
- `change_row`: the row that the address names gets a new version just before the operation acts on it.
- `keep_row`: a delete answers 204 and deletes nothing.

Rules also match operations inside a `$batch`, by their own method and path. KIND there: `status`,
`change_row`, `keep_row`, `lose_row`, `duplicate_row`; the kinds that concern the connection then hit the
whole batch, `cut_before` in the middle of it: what ran before stays.

The module request/faults.py decides which rule fires, and what `status`, `lose_row` and `duplicate_row`
answer. The others are carried out where they hit: what concerns the connection, the clock or the token in
serving/app.py and serving/wire.py, for a batch in serving/batch_faults_and_limits.py; `change_row` and
`keep_row` in operations/web_api.py, for documents in graph/graph.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec

from connectors.emulator.request.exchange import Answer

KINDS = (
    "status",
    "latency",
    "cut_before",
    "cut_after",
    "truncate",
    "lose_row",
    "duplicate_row",
    "skew",
    "expire_token",
    "change_row",
    "keep_row",
)
_EXTRA = {"status", "retry_after", "ms", "s", "code", "message", "html", "empty"}
THROTTLES = {
    "0x80072322": "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
    "0x80072321": "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds. "
    "Decrease number of concurrent requests or reduce the duration of requests and try again later.",
    "0x80072326": "Number of concurrent requests exceeded the limit of 52.",
}
_MESSAGES = {500: "An unexpected error occurred.", 502: "Bad Gateway", 503: "The service is unavailable.", 504: "Gateway Timeout"}


class FaultProblem(Exception):
    """A rule that cannot be understood."""


@dataclass
class Fault:
    kind: str
    methods: frozenset[str]
    path: Callable[[str], bool]
    nth: int
    every: int
    times: int | None
    extra: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    def hits(self, method: str, address: str) -> bool:
        """Count a match and return whether the rule fires on it."""
        if self.methods and method not in self.methods:
            return False
        if not (self.path(address) or self.path(unquote(address))):
            return False
        self.seen += 1
        if self.times is not None and self.fired >= self.times:
            return False
        if self.nth and self.seen < self.nth:
            return False
        if self.every and self.seen % self.every:
            return False
        self.fired += 1
        return True


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def replace(self, document: Any) -> None:
        """Put a list of rules in force, or none of them when one is wrong."""
        if not isinstance(document, list):
            raise FaultProblem("faults are a list of rules")
        self.rules = [_rule(item) for item in document]

    def fired(self, method: str, address: str) -> list[Fault]:
        return [rule for rule in self.rules if rule.hits(method, address)] if self.rules else []


def _rule(item: Any) -> Fault:
    if not isinstance(item, dict) or item.get("do") not in KINDS:
        raise FaultProblem(f"a rule needs 'do', one of: {', '.join(KINDS)}")
    match = item.get("match") or {}
    if not isinstance(match, dict) or (
        unknown := set(match) - {"method", "path", "nth", "every"} or set(item) - {"match", "times", "do"} - _EXTRA
    ):
        raise FaultProblem(f"unknown keys in a rule: {', '.join(sorted(unknown)) if isinstance(match, dict) else 'match is not an object'}")
    methods = match.get("method") or []
    nth, every, times = match.get("nth", 0), match.get("every", 0), item.get("times")
    if any(not isinstance(n, int) or n < 0 for n in (nth, every, times or 0)):
        raise FaultProblem("nth, every and times are whole numbers")
    return Fault(
        kind=item["do"],
        methods=frozenset(m.upper() for m in ([methods] if isinstance(methods, str) else methods)),
        path=_path(str(match.get("path") or "")),
        nth=nth,
        every=every,
        times=1 if nth and times is None else times,
        extra={key: item[key] for key in _EXTRA & item.keys()},
    )


def _path(pattern: str) -> Callable[[str], bool]:
    try:
        expression = re.compile(pattern.removeprefix("re:"))
    except re.error as problem:
        if pattern.startswith("re:"):
            raise FaultProblem(f"path is not a regular expression: {problem}") from problem
        expression = re.compile(r"(?!)")
    if pattern.startswith("re:"):
        return lambda address: expression.search(address) is not None
    glob = re.compile(".*".join(re.escape(piece) for piece in pattern.split("*")))
    return lambda address: glob.search(address) is not None or expression.search(address) is not None


def status_answer(fault: Fault) -> Answer:
    """Return the answer that a `status` rule gives instead of acting."""
    extra = fault.extra
    status = int(extra.get("status", 503))
    headers = {"Retry-After": str(extra["retry_after"])} if "retry_after" in extra else {}
    if extra.get("empty"):
        return Answer(status, b"", headers)
    if extra.get("html"):
        return Answer(status, b"<html><body><h2>Our services aren't available right now</h2></body></html>", headers, "text/html")
    code = str(extra.get("code", "0x80072322" if status == 429 else "0x80040216"))
    message = str(extra.get("message", THROTTLES.get(code) or _MESSAGES.get(status, "An error was asked for.")))
    return Answer(status, msgspec.json.encode({"error": {"code": code, "message": message}}), headers)


def alter_rows(faults: list[Fault]) -> Callable[[list[str]], list[str]]:
    """Return what `lose_row` and `duplicate_row` do to the rows of a page: the one in the middle."""
    kinds = [fault.kind for fault in faults if fault.kind in ("lose_row", "duplicate_row")]

    def alter(rows: list[str]) -> list[str]:
        for kind in kinds:
            middle = len(rows) // 2
            if rows:
                rows = (
                    rows[:middle] + rows[middle + 1 :] if kind == "lose_row" else [*rows[: middle + 1], rows[middle], *rows[middle + 1 :]]
                )
        return rows

    return alter
