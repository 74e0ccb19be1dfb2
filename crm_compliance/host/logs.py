"""Structured logs on standard error: the id of a run in each of its lines, personal data never (ACC-05,
R-142).

There are two filters. What is not on the list of technical fields is dropped. What is on it, and the message
itself, is searched for what looks like an e-mail address, a telephone or register number, or a secret. Names
look like any other word, so a message is a constant text and never holds data. Of libraries' own messages the
text is kept but not the values they would fill in: a value may be an address with a query in it."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import PurePath
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from rules.errors import ComplianceError
from rules.model.references import AS_MADE

# Ids of our own making, which say nothing about a person and may well look like a telephone number.
IDS = frozenset({"run", "plan", "hold", "request", "request_id", "certificate", "digest", "reference"})
# fmt: off
NUMBERS = frozenset(
    {
        "done", "total", "count", "units", "recordings", "rows", "pages", "requests", "retries", "attempt", "attempts",
        "throttled", "dispose", "deleted", "anonymised", "skipped", "partial", "failed", "gone", "masked", "still_there",
        "due_soon", "warnings", "dropped", "exit_code", "status", "port", "pid", "seconds", "wait_s", "duration_s",
        "retry_after_s", "bytes",
    }
)
WORDS = frozenset(
    {
        "event", "level", "timestamp", "module", "job", "kind", "stage", "state", "table", "operation", "code", "service_code",
        "error", "at", "message", "rule", "reason", "role", "action", "check", "ok", "version", "policy_version", "next_at",
        "as_of", "started_at", "ended_at", "until", "channel",
    }
)
# fmt: on
ALLOWED = IDS | NUMBERS | WORDS
LONGEST = 500  # characters; more is a payload

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
OURS = rf"(?:plan|run|hold|certificate|recovery)-[0-9a-f]{{12}}|{AS_MADE}"  # by chance of digits alone
SUSPECT = re.compile(
    rf"""
    (?P<keep>(?<![\w-])(?:{UUID}|{OURS}|[0-9a-f]{{40}}|[0-9a-f]{{64}}|\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))(?![\w-]))
    |(?P<secret>\bbearer\s+[^\s"']+|\bbasic\s+[\w+/]{{8,}}=*|\beyJ[\w-]+(?:\.[\w-]*)*
        |\b[\w-]*(?:token|secret|password|passphrase|authorization|api[_-]?key|signature)["']?\s*[=:]\s*(?:bearer\s+|basic\s+)?["']?[^\s"',;&]+)
    |(?P<address>[^\s@<>"'(),;:=/]+(?:@|%40)[^\s@<>"'(),;]+)
    |(?P<query>(?:\?(?=[$\w%]+=)|(?:\$|%24)(?:filter|search)\b).*)
    |(?P<number>(?:\+|\(\+?)?\d(?:[\s.,/()\-\u2010-\u2015\u00a0]{{0,3}}\d){{8,}})
    """,
    re.VERBOSE | re.IGNORECASE,
)


def configure(stream: TextIO, *, level: str = "INFO", terminal: bool = False) -> None:
    """Send all logs, ours and the libraries', to `stream`: JSON lines, or key=value lines if a person reads
    along. Libraries are logged from WARNING on, whatever `level` is: at DEBUG, HTTP clients log what they
    send."""
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_the_error,
        redact,
        structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True)
        if terminal
        else structlog.processors.JSONRenderer(sort_keys=True),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _Unfailing(stream))),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Libraries)]:
        root.removeHandler(old)
    root.addHandler(_Libraries(logging.WARNING))


def run_bound(run: str) -> AbstractContextManager[None]:
    """Name the run in every line that this thread or task logs inside the block, whichever code logs it."""
    return structlog.contextvars.bound_contextvars(run=run)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop what is not on the list, clean what is; `dropped` says how many fields went."""
    kept: dict[str, Any] = {}
    for key, value in event.items():
        if key not in ALLOWED:
            continue
        ours = (key in IDS and isinstance(value, str) and ID.fullmatch(value)) or (key in NUMBERS and isinstance(value, int | float))
        kept[key] = value if ours else _clean(value)
    if lost := len(event.keys() - ALLOWED):
        kept["dropped"] = lost
    return kept


def name_the_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Record an error by its type and the lines it passed through. Its message is kept only if it is one of
    our own errors, which hold no payload."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        event["at"] = [f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames[-8:]]
        if isinstance(error, ComplianceError):
            event["code"], event["message"] = error.code, str(error)
    return event


def scrub(text: str) -> str:
    """Return the text without what looks like an address, a number of a person, or a secret."""
    cleaned = SUSPECT.sub(lambda found: found[0] if found.lastgroup == "keep" else f"[{found.lastgroup}]", text)
    return cleaned if len(cleaned) <= LONGEST else f"{cleaned[:LONGEST]}…"


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 100_000_000 else "[number]"  # nine digits are a telephone number
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {scrub(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return f"[{type(value).__name__}]"


class _Unfailing:
    """Where logs go to, as far as it takes them: whoever collects them may be away, and their disk full, and
    no night ends for that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


class _Libraries(logging.Handler):
    """What libraries say through `logging`, in our form: their text, not what they would fill in."""

    def emit(self, record: logging.LogRecord) -> None:
        level = max(kind for kind in (logging.WARNING, logging.ERROR, logging.CRITICAL) if kind <= record.levelno)
        text = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        structlog.get_logger().log(level, text, module=record.name, exc_info=record.exc_info)
