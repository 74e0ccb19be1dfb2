"""The text of a `$filter` made ready for the parser, and the errors that only the text shows.

`odata_query` knows OData but not Dataverse's JSON arrays in `PropertyValues=[…]`, and its lexer takes
`allowance` for `all` and `owance`. Both are settled here, outside quotation marks, so that the module after
this one sees a plain tree."""

import re
from functools import lru_cache
from typing import Any

import msgspec
from odata_query import ast
from odata_query.exceptions import ODataException, ParsingException, TokenizingException, UnknownFunctionException
from odata_query.grammar import ODataLexer, ODataParser

from connectors.emulator.errors import WebApiError, bad_query, unknown_function

GUARD = "x__"  # put before names that begin like a keyword; taken off again by `plain`
_STRING = re.compile(r"'(?:[^']|'')*'")
_QUOTED_ITEM = re.compile(r"\s*('[^']*')\s*(,|$)")
_ALIAS = re.compile(r"@(\w+)")
_GUARDED = re.compile(r"(?<![\w.])(?=(?:any|all|true|false|null|x__)\w)", re.IGNORECASE)
_OPERATOR = re.compile(r"(?<=\s)(eq|ne|gt|ge|lt|le|and|or|in|add|sub|mul|div|mod)(?=\s)", re.IGNORECASE)
_NOT = re.compile(r"(?<![\w/])not\(")
_PAIR = re.compile(r"PropertyValue1\s*=\s*(@?\w+)\s*,\s*PropertyValue2\s*=\s*(@?\w+)")  # the parser stumbles over a third parameter
_QUOTED_NUMBER = re.compile(r"(PropertyValue[12]\s*=\s*)'(\d+)'")
_ENUM = re.compile(r"Microsoft\.Dynamics\.CRM\.\w+(?='$)")
_ROW = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# What clients ask at the greatest length.
_ONE_OF_ROWS = re.compile(rf"(?!any|all|true|false|null|x__)([a-z_]\w*) eq {_ROW}(?: or \1 eq {_ROW})+")

_NO_COMMA = (
    "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and properties of an object must be "
    "separated by commas."
)


def plain(name: str) -> str:
    return name.removeprefix(GUARD)


def parse_filter(text: str, aliases: dict[str, str]) -> Any:
    """Return the tree of an expression; parameter aliases are inserted first, an unassigned one is null.
    Raises WebApiError: 400 with the position of the error in the text."""
    return _parse(text, tuple(aliases.items()) if "@" in text else ())


@lru_cache(maxsize=512)
def _parse(text: str, aliases: tuple[tuple[str, str], ...]) -> Any:
    if (rows := _ONE_OF_ROWS.fullmatch(text)) is not None:
        return _one_of(rows.group(1), [condition.rpartition(" ")[2] for condition in text.split(" or ")])
    ready = _normalise(text, dict(aliases)).strip()
    try:
        return ODataParser().parse(ODataLexer().tokenize(ready))
    except UnknownFunctionException as problem:
        raise unknown_function(plain(problem.function_name)) from problem
    except (ParsingException, TokenizingException) as problem:
        token = getattr(problem, "token", None)
        position = getattr(token, "index", len(text)) if token is not None else len(text)
        raise _syntax_error(text, min(position, len(text))) from problem
    except (ODataException, RecursionError, ValueError, AttributeError) as problem:  # the last for a third parameter of a function
        raise _syntax_error(text, len(text)) from problem


def _one_of(column: str, rows: list[str]) -> Any:
    """Return the tree of `column eq row or column eq row or ...`, which the parser would take apart sign by
    sign."""
    first, *others = (ast.Compare(ast.Eq(), ast.Identifier(column), ast.GUID(row)) for row in rows)
    tree: Any = first
    for other in others:
        tree = ast.BoolOp(ast.Or(), tree, other)
    return tree


def _syntax_error(text: str, position: int) -> WebApiError:
    return bad_query(f"Syntax error at position {position} in '{text}'.")


def _normalise(text: str, aliases: dict[str, str]) -> str:
    """Return the text with arrays turned into lists, in one pass, and the names rewritten that the lexer
    would misread."""
    text = _QUOTED_NUMBER.sub(r"\1\2", text)
    out: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "'":
            match = _STRING.match(text, position)
            if match is None:
                raise bad_query(f"There is an unterminated literal at position {len(text)} in '{text}'.")
            if out:  # an enumeration value, `Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'`
                out[-1] = _ENUM.sub("", out[-1] + "'").removesuffix("'")
            out.append(match.group())
            position = match.end()
        elif character == "[":
            listed, position = _array(text, position)
            out.append(listed)
        else:
            end = position
            while end < len(text) and text[end] not in "'[":
                end += 1
            out.append(_plain_text(text, text[position:end], aliases))
            position = end
    return "".join(out)


def _plain_text(whole: str, piece: str, aliases: dict[str, str]) -> str:
    if '"' in piece:
        raise _syntax_error(whole, whole.index('"'))
    for match in _OPERATOR.finditer(piece):
        if match.group() != match.group().lower():  # option and operator names are case-sensitive
            raise _syntax_error(whole, max(whole.find(match.group()), 0))
    ready = _PAIR.sub(r"PropertyValues=(\1,\2)", _NOT.sub("not (", _GUARDED.sub(GUARD, piece)))
    return _ALIAS.sub(lambda match: _normalise(aliases.get("@" + match.group(1), "null"), {}), ready) if "@" in ready else ready


def _array(text: str, start: int) -> tuple[str, int]:
    """Return a JSON array, or the same with single quotation marks, as the list that the parser knows."""
    position, quote = start + 1, ""
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\" and quote == '"':
                position += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "]":
            break
        position += 1
    else:
        raise bad_query(_NO_COMMA if quote == "'" else "Invalid JSON. Unexpected end of input was found in JSON content.")
    inside = text[start + 1 : position]
    values = _single_quoted(inside) if inside.lstrip().startswith("'") else _json_values("[" + inside + "]")
    if not values:
        raise bad_query("The collection of values is empty.")
    return "(" + ",".join(values) + ",)" if len(values) == 1 else "(" + ",".join(values) + ")", position + 1


def _single_quoted(inside: str) -> list[str]:
    """Return the values of `'a','b'`; an apostrophe inside a value needs the double-quoted form."""
    values: list[str] = []
    position = 0
    while match := _QUOTED_ITEM.match(inside, position):
        values.append(match.group(1))
        position = match.end()
        if not match.group(2):
            break
    if position < len(inside) or (values and inside.rstrip().endswith(",")):
        raise bad_query(_NO_COMMA)
    return values


def _json_values(document: str) -> list[str]:
    try:
        values = msgspec.json.decode(document.encode())
    except msgspec.DecodeError:
        # GUIDs and dates may stand there without quotation marks
        bare = [part.strip() for part in document[1:-1].split(",")]
        if not all(re.fullmatch(r"[\w\-:.+]+", part) for part in bare):
            raise bad_query(_NO_COMMA) from None
        return ["'" + part + "'" for part in bare]
    if not all(isinstance(value, str | int | float) for value in values):
        raise bad_query("Invalid JSON. The array holds something else than texts and numbers.")
    return ["'" + str(value).replace("'", "''") + "'" for value in values]


def operands(node: ast._Node, operator: type) -> list[Any]:
    """Return the operands of `a and b and c` as three, without recursing over a long one's tree."""
    found: list[Any] = []
    while isinstance(node, ast.BoolOp) and isinstance(node.op, operator):
        found.append(node.right)
        node = node.left
    found.append(node)
    found.reverse()
    return found
