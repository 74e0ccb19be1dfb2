"""A service that executes change sets and answers in any form that the Web API's documentation and reports
know: the truth of the tests.

It is written from the reference alone (sections 5.2 to 5.4), and knows what it did, so that nothing has to be
read from the answer.
"""

import json
from dataclasses import dataclass, field

from hypothesis import strategies as st

BOUNDARY = "batchresponse_6f"
CONTENT_TYPES = (f"multipart/mixed; boundary={BOUNDARY}", f'Multipart/Mixed;boundary="{BOUNDARY}"; charset=utf-8')
FAILURES = (400, 403, 404, 405, 408, 412, 429, 500, 503)
CODES = ("", "0x0", "0x80060882", "0x80040217", "0x80040237", "0x8006088a", "0x80040227", "0x80044151")


@dataclass(frozen=True)
class Asked:
    """A change set: how many operations, and whether and where it fails."""

    size: int
    failing: int | None = None
    status: int = 412
    code: str = ""


@dataclass
class Part:
    """What the answer says of one change set. `is_named`: it carries a Content-ID."""

    text: str
    is_named: bool


@dataclass
class Served:
    """What was done, and the parts that say so."""

    done: list[bool]
    status: int
    parts: list[Part] = field(default_factory=list)

    def body(self, newline: str, bom: bool, last_line_end: bool, parts: list[Part] | None = None) -> bytes:
        text = _joined([part.text for part in (self.parts if parts is None else parts)], BOUNDARY)
        text = text if last_line_end else text.removesuffix("\r\n")
        return (b"\xef\xbb\xbf" if bom else b"") + text.replace("\r\n", newline).encode()


ASKED = st.builds(
    Asked,
    st.integers(1, 4),
    st.one_of(st.none(), st.integers(0, 3)),
    st.sampled_from(FAILURES),
    st.sampled_from(CODES),
).map(lambda one: one if one.failing is None or one.failing < one.size else Asked(one.size, 0, one.status, one.code))


@st.composite
def served(draw: st.DrawFn, asked: list[Asked], *, named_only: bool = False) -> Served:
    """Execute the change sets in order and answer; a service that does not go on after a failure says 400 and
    stops."""
    goes_on = draw(st.booleans())
    result = Served([], 200)
    one_boundary = draw(st.booleans())
    first = 1
    for number, each in enumerate(asked):
        inner = "changesetresponse_1" if one_boundary else f"changesetresponse_{number}"
        if result.status == 400:
            result.done.append(False)
        elif each.failing is None:
            result.done.append(True)
            result.parts.append(Part(_nested([_success(first + n) for n in range(each.size)], inner), True))
        else:
            result.done.append(False)
            is_named = named_only or draw(st.booleans())
            failure = _failure(
                each, first + each.failing if is_named else None, draw(st.sampled_from(["json", "html", "message", "none", "inner"]))
            )
            is_nested = draw(st.booleans())
            result.parts.append(Part(_nested([failure], inner) if is_nested else failure, is_named))
            if not goes_on:
                result.status = 400
        first += each.size
    return result


def _success(content_id: int) -> str:
    address = f"https://cfbe.crm4.dynamics.com/api/data/v9.2/cf_fiches(5b1f0c7e-3d0a-4f11-9f8a-{content_id:012})"
    return _operation(
        content_id, f"HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nLocation: {address}\r\nOData-EntityId: {address}\r\n\r\n"
    )


def _failure(asked: Asked, content_id: int | None, form: str) -> str:
    error: dict[str, object] = {"code": asked.code, "message": "Lotte Peeters (fictief)\r\n--batchresponse_6f--"}
    if form == "inner":
        error["innererror"] = {"message": "Lotte Peeters (fictief)", "type": "T", "stacktrace": "at X"}
    bodies = {"html": "<html>\r\n<p>Content-ID: 1</p></html>", "message": '{"Message":"Not here"}', "none": ""}
    body = bodies.get(form, json.dumps({"error": error}))
    wait = "Retry-After: 3\r\n" if asked.status == 429 else ""
    return _operation(content_id, f"HTTP/1.1 {asked.status} Because\r\n{wait}REQ_ID: 7f0c\r\nContent-Type: application/json\r\n\r\n{body}")


def _operation(content_id: int | None, answer: str) -> str:
    named = "" if content_id is None else f"Content-ID: {content_id}\r\n"
    return f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{named}\r\n{answer}"


def _nested(parts: list[str], boundary: str) -> str:
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{_joined(parts, boundary)}"


def _joined(parts: list[str], boundary: str) -> str:
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
