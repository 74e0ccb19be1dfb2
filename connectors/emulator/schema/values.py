"""From a JSON value to what the store keeps, or a refusal in the words of the Web API."""

import base64
import binascii
import math
import re
from datetime import UTC, date, datetime
from typing import Any

from connectors.emulator.conditions.clock import instant_text
from connectors.emulator.errors import INVALID_ARGUMENT, WebApiError, bad_payload
from connectors.emulator.schema.environment import Column, Environment, Table

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(\.\d{1,12})?(Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML cannot carry
_EARLIEST = date(1753, 1, 1)
MAX_CHOICES = 150


def guid(text: str) -> str | None:
    """Return the id in lower case, or None when the text is not a GUID."""
    return text.lower() if GUID.fullmatch(text) else None


def parse_instant(text: str) -> datetime | None:
    """Return an RFC 3339 instant with Z or an offset; a bare day is its midnight in UTC."""
    if _DATE.fullmatch(text):
        text += "T00:00:00Z"
    match = _INSTANT.fullmatch(text)
    if not match:
        return None
    day, clock, fraction, zone = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def to_stored(environment: Environment, table: Table, column: Column, value: Any) -> Any:
    """Check one value of a body against its column. Raises WebApiError: 400 with the code for a wrong type, a
    text too long, or a choice out of range."""
    if value is None:
        return None
    return _CONVERTERS[column.kind](environment, table, column, value)


def _cannot_convert(table: Table, value: Any, edm: str) -> WebApiError:
    shown = str(value).lower() if isinstance(value, bool) else str(value)[:60]
    return bad_payload(table.set_name, f"Cannot convert the literal '{shown}' to the expected type 'Edm.{edm}'.")


def _text(environment: Environment, table: Table, column: Column, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _cannot_convert(table, value, "String")
    if column.length and len(value) > column.length:
        raise WebApiError(
            400,
            "0x80044331",
            f"A validation error occurred.  The length of the '{column.name}' attribute of the '{table.name}' entity exceeded the maximum "
            f"allowed length of '{column.length}'.",
        )
    if _INVALID.search(value):
        raise WebApiError(
            400, INVALID_ARGUMENT, f"The value of '{column.name}' holds an invalid character: no control characters are stored."
        )
    if column.name == "documentbody":
        _check_base64(value)
    return value or None  # an empty text is stored as null


def _check_base64(value: str) -> None:
    try:
        base64.b64decode("".join(value.split()), validate=True)  # .NET ignores white space in it
    except (binascii.Error, ValueError) as problem:
        raise WebApiError(
            400, INVALID_ARGUMENT, "The input is not a valid Base-64 string as it contains a non-base 64 character."
        ) from problem


def _integer(environment: Environment, table: Table, column: Column, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        else:
            raise _cannot_convert(table, value, "Int32")
    if not -(2**31) <= value < 2**31:
        raise _cannot_convert(table, value, "Int32")
    _check_range(table, column, value)
    return int(value)


def _choice(environment: Environment, table: Table, column: Column, value: Any) -> int:
    number = _integer(environment, table, column, value)
    _check_option(environment, table, column, number)
    return number


def _check_option(environment: Environment, table: Table, column: Column, number: int) -> None:
    options = environment.choices[column.choice]
    if number not in options:
        raise WebApiError(
            400,
            "0x8004431a",
            f"A validation error occurred. The value {number} of '{column.name}' on record of type '{table.name}' is outside the valid "
            f"range. Accepted Values: {','.join(map(str, options))}",
        )


def _choices(environment: Environment, table: Table, column: Column, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _cannot_convert(table, value, "String")
    numbers = []
    for part in filter(None, (part.strip() for part in value.split(","))):
        if not re.fullmatch(r"-?\d{1,10}", part):
            raise WebApiError(400, INVALID_ARGUMENT, f"The value '{part[:40]}' of '{column.name}' is not a whole number.")
        numbers.append(int(part))
    for number in numbers:
        _check_option(environment, table, column, number)
    if len(set(numbers)) > MAX_CHOICES:
        raise WebApiError(400, INVALID_ARGUMENT, f"The attribute {column.name} cannot have more than {MAX_CHOICES} selected values.")
    return ",".join(map(str, sorted(set(numbers)))) or None


def _bool(environment: Environment, table: Table, column: Column, value: Any) -> int:
    if not isinstance(value, bool):
        raise _cannot_convert(table, value, "Boolean")
    return int(value)


def _number(environment: Environment, table: Table, column: Column, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _cannot_convert(table, value, "Decimal")
    if abs(value) > 922_337_203_685_477 and column.kind != "double":
        raise _out_of_range(table, column)
    _check_range(table, column, value)
    if column.precision is not None:
        return round(float(value), column.precision)
    return round(float(value), 4) if column.kind == "money" else float(value)


def _check_range(table: Table, column: Column, value: float) -> None:
    if (column.minimum is not None and value < column.minimum) or (column.maximum is not None and value > column.maximum):
        raise _out_of_range(table, column)


def _out_of_range(table: Table, column: Column) -> WebApiError:
    return WebApiError(
        400,
        "0x80044330",
        f"A validation error occurred. The value of '{column.name}' on record of type '{table.name}' is outside the valid range.",
    )


def _day(environment: Environment, table: Table, column: Column, value: Any) -> str:
    parsed = parse_date(value) if isinstance(value, str) else None
    if parsed is None:
        raise _cannot_convert(table, value, "Date")
    _check_earliest(parsed)
    return parsed.isoformat()


def _instant(environment: Environment, table: Table, column: Column, value: Any) -> str:
    parsed = parse_instant(value) if isinstance(value, str) else None
    if parsed is None:
        raise _cannot_convert(table, value, "DateTimeOffset")
    _check_earliest(parsed.date())
    return instant_text(parsed)


def _check_earliest(day: date) -> None:
    if day < _EARLIEST:
        raise WebApiError(
            400,
            "0x80040239",
            f"DateTime is less than minimum value supported by CrmDateTime. Actual value: {day:%m/%d/}{day.year:04d} 00:00:00, "
            "Minimum value supported: 01/01/1753 00:00:00",
        )


def _guid(environment: Environment, table: Table, column: Column, value: Any) -> str:
    parsed = guid(value) if isinstance(value, str) else None
    if parsed is None:
        raise _cannot_convert(table, value, "Guid")
    return parsed


def _image(environment: Environment, table: Table, column: Column, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _cannot_convert(table, value, "Binary")
    try:
        body = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise _cannot_convert(table, "…", "Binary") from problem
    kinds = (b"GIF8", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"\x89PNG\r\n\x1a\n")
    if body and not body.startswith(kinds):
        raise WebApiError(400, "0x80072553", "Failed to process the image.")
    return value or None


_CONVERTERS = {
    "string": _text,
    "memo": _text,
    "entityname": _text,
    "int": _integer,
    "state": _integer,
    "status": _integer,
    "bigint": _integer,
    "choice": _choice,
    "choices": _choices,
    "bool": _bool,
    "decimal": _number,
    "double": _number,
    "money": _number,
    "date": _day,
    "datetime": _instant,
    "datetime_tzi": _instant,
    "guid": _guid,
    "lookup": _guid,
    "image": _image,
}
