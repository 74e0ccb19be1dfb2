"""Logs say what happened in which run, and nothing about anybody (ACC-05, R-142)."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from crm_compliance.host import logs
from rules.errors import UsageError

NAME = "Lotte Peeters"
CANARIES = [
    "lotte.peeters@example.org",
    "lotte%40example.org",
    "+32 470 12 34 56",
    "0470/12.34.56",
    "02 123 45 67",
    "(0032) 470-12-34-56",
    "85.07.30-033.28",
    "85073003328",
    "85.07.30 033 28",
    "Bearer abc.def-canary",
    "eyJhbGciOiJub25l.eyJjYW5hcnkiOjF9.c2ln",
    "client_secret=canary!",
    '"access_token": "canary"',
    "?$filter=lastname eq 'Peeters'",
]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged, line by line."""
    stream = io.StringIO()
    handlers, before = logging.getLogger().handlers[:], structlog.get_config()
    logs.configure(stream, level="DEBUG")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().handlers[:] = handlers
    structlog.configure(**before)  # its own default draws each error of a later test in colours, frame by frame


Lines = Callable[[], list[dict[str, Any]]]


class Full(io.StringIO):
    """A stream to a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise BrokenPipeError


def test_no_night_ends_because_nobody_takes_its_logs(lines: Lines) -> None:
    logs.configure(Full())
    structlog.get_logger().info("job started", job="retention")
    logging.getLogger("apscheduler").warning("a run was missed")


def test_a_line_has_its_instant_level_module_and_fields(lines: Lines) -> None:
    structlog.get_logger(module="jobs.runs.apply").info("change set done", done=3, total=9, code="CHANGED", ok=True, wait_s=0.5)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    head = {"event": "change set done", "level": "info", "module": "jobs.runs.apply"}
    assert line == head | {"done": 3, "total": 9, "code": "CHANGED", "ok": True, "wait_s": 0.5}


def test_every_line_of_a_run_names_the_run_and_no_line_after_it(lines: Lines) -> None:
    with logs.run_bound("run-0470123456"):
        structlog.get_logger(module="a").info("inside")
        logging.getLogger("urllib3").warning("inside too")
    structlog.get_logger(module="a").info("after")
    assert [line.get("run") for line in lines()] == ["run-0470123456", "run-0470123456", None]


def test_a_field_that_is_not_on_the_list_is_dropped_and_counted(lines: Lines) -> None:
    structlog.get_logger(module="a").info("unit read", firstname=NAME, body=b"...", units=1)
    (line,) = lines()
    assert (line["units"], line["dropped"]) == (1, 2)
    assert NAME not in json.dumps(line)


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("key", ["event", "message", "table", "run", "count", "stage"])
def test_no_field_lets_an_address_a_number_or_a_secret_through(lines: Lines, canary: str, key: str) -> None:
    text = f"about {canary}, again {canary}"
    fields: dict[str, Any] = {key: [text, {text: text}]} if key == "stage" else {key: text}
    structlog.get_logger(module="a").info(fields.pop("event", "said"), **fields)
    assert "canary" not in str(lines())
    assert canary not in str(lines())
    assert "[" in str(lines()[0][key])


def test_a_number_that_could_be_a_register_number_goes_where_no_count_is_expected(lines: Lines) -> None:
    structlog.get_logger(module="a").info("said", message=85073003328, bytes=85073003328)
    assert (lines()[0]["message"], lines()[0]["bytes"]) == ("[number]", 85073003328)


@pytest.mark.parametrize(
    "text",
    [
        "run 0e7f1c52-1234-4567-8901-234567890123 started",
        "digest 1234567890123456789012345678901234567890123456789012345678901234",
        "valid until 2026-03-05T01:30:00.123+00:00",
        "request-047012345678 was due, plan-123456789012 is stored",
        "DSR-2026-1234-5678 was due on 2026-11-02",
        "3 of 120 units, 12.5 s, 127.0.0.1:8765, v9.2",
    ],
)
def test_ids_digests_instants_and_counts_are_left_alone(text: str) -> None:
    assert logs.scrub(text) == text


def test_a_payload_is_cut_short() -> None:
    assert len(logs.scrub("x" * 10_000)) == logs.LONGEST + 1


def test_an_objects_own_words_are_never_asked_for(lines: Lines) -> None:
    class Person:
        def __repr__(self) -> str:
            return NAME

    structlog.get_logger(module="a").info("said", message=Person(), stage=[Person()])
    assert (lines()[0]["message"], lines()[0]["stage"]) == ("[Person]", ["[Person]"])


def test_an_error_is_named_with_the_lines_it_went_through_but_not_its_words(lines: Lines) -> None:
    try:
        raise ValueError(f"cannot read {NAME}")
    except ValueError as error:
        structlog.get_logger(module="a").exception("failed")
        structlog.get_logger(module="a").error("failed", exc_info=error)
        logging.getLogger("lib").error("failed for %s", NAME, exc_info=sys.exc_info())
    assert [line["error"] for line in lines()] == ["ValueError"] * 3
    assert all(line["at"][0].startswith("test_logs.py:") for line in lines())
    assert NAME not in str(lines())


def test_our_own_errors_keep_their_words_because_those_hold_no_payload(lines: Lines) -> None:
    structlog.get_logger(module="a").error("failed", exc_info=UsageError("there is no plan p-1"))
    assert (lines()[0]["code"], lines()[0]["message"]) == ("usage", "there is no plan p-1")


def test_libraries_are_heard_without_what_they_would_fill_in(lines: Lines) -> None:
    logging.getLogger("urllib3").warning("Retrying: %s", f"/contacts/{NAME}")
    logging.getLogger("urllib3").debug("GET /contacts")
    logging.getLogger("lib").error(ValueError(NAME))
    logging.getLogger("lib").critical("100% wrong")
    assert [(line["module"], line["level"], line["event"]) for line in lines()] == [
        ("urllib3", "warning", "Retrying: %s"),
        ("lib", "error", "ValueError"),
        ("lib", "critical", "100% wrong"),
    ]


def test_configuring_again_does_not_double_the_lines(lines: Lines) -> None:
    stream = io.StringIO()
    logs.configure(stream, level="ERROR")
    logging.getLogger("lib").error("once")
    structlog.get_logger(module="a").warning("below the level")
    assert (len(stream.getvalue().splitlines()), lines()) == (1, [])


def test_a_person_who_reads_along_gets_one_line_of_keys_and_values(lines: Lines) -> None:
    stream = io.StringIO()
    logs.configure(stream, terminal=True)
    structlog.get_logger(module="a").info("plan stored", plan="p-1", units=3, ok=True, stage=["x y"])
    text = stream.getvalue()
    assert text.startswith("timestamp=")
    assert 'level=info event="plan stored"' in text
    assert "plan=p-1" in text
    assert text.count("\n") == 1
