"""Markup parsed as a browser would, in one pass: its words, its tags and what their attributes say.

Only the tokens, no tree: a tree of hostile markup can be far larger than the markup. The cost grows with the
length of the text. What was begun and is never ended is words: no text is too strange, and none is lost.
Source: EXP-06, EXP-19."""

import html
import re
from collections.abc import Iterator
from typing import Final

import msgspec

# What a browser does not show, up to the end of the element; nothing in them is a tag.
RAW: Final = frozenset({"script", "style", "title"})
# Elements over which a word goes on. At every other one text ends and another begins, so that no name or
# number is glued to what stands beside it and passes for another (EXP-06); one unknown to HTML is seen
# by nobody where it stands in the middle of a word (`tokens_read`).
_IN_LINE: Final = frozenset({
    "a", "abbr", "acronym", "b", "basefont", "bdi", "bdo", "big", "blink", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "img", "ins", "kbd", "label", "mark", "nobr", "q", "rb", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_SMART_TAGS: Final = ("o:", "st1:")  # of Outlook, around words of a sentence
# The other elements of HTML: a text ends at each.
_OF_HTML: Final = RAW | {
    "address", "applet", "area", "article", "aside", "audio", "base", "blockquote", "body", "br", "button", "canvas", "caption", "center",
    "col", "colgroup", "datalist", "dd", "details", "dialog", "dir", "div", "dl", "dt", "embed", "fieldset", "figcaption", "figure",
    "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html", "iframe",
    "input", "isindex", "legend", "li", "link", "listing", "main", "map", "marquee", "math", "menu", "meta", "meter", "nav", "noframes",
    "noscript", "object", "ol", "optgroup", "option", "output", "p", "param", "picture", "plaintext", "pre", "progress", "search",
    "section", "select", "slot", "source", "summary", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead",
    "tr", "track", "ul", "video", "xmp",
}  # fmt: skip
_NAME: Final = re.compile(r"[a-zA-Z][^\s/>]*+")
_SPACES: Final = re.compile(r"[\s/]*+")
_BLANKS: Final = re.compile(r"\s*+")
_ATTRIBUTE: Final = re.compile(r"[^\s/>][^\s/>=]*+")
_UNQUOTED: Final = re.compile(r"[^\s>]*+")
_COMMENT_END: Final = re.compile(r"--!?>")
_LINK: Final = re.compile(r"<(?:[^\s<>@\"'=]{1,128}@[^\s<>@\"'=]{1,255}\.[a-zA-Z]{2,24}|(?:https?|mailto):[^\s<>]{1,2000})>")
_ZEROS: Final = re.compile(r"&#([xX]?)0++(?=[0-9a-fA-F])")
_TOO_LONG: Final = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{8,}+);?")
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*+>|<![a-zA-Z\[-]")


class Words(msgspec.Struct, frozen=True):
    """What stands between tags, as it is read; `is_seen` is false for what a browser does not show."""

    text: str
    is_seen: bool = True


class Tag(msgspec.Struct, frozen=True):
    """A tag by its name in lower case, and its attributes in the order in which they stand."""

    name: str
    is_end: bool = False
    attributes: tuple[tuple[str, str], ...] = ()


def unescaped(text: str) -> str:
    """Return a text without character references; one with too many digits stands for none."""
    return html.unescape(_TOO_LONG.sub("\ufffd", _ZEROS.sub(r"&#\1", text))) if "&" in text else text


def has_markup(text: str) -> bool:
    """Return whether a text holds a tag or a comment, and not merely a sign such as `<` or an address such as
    `<jan@example.org>`."""
    return any(not _LINK.match(text, found.start()) for found in _TAG.finditer(text))


def goes_on(name: str) -> bool:
    """Return whether a word may go on over a tag of this name."""
    return name in _IN_LINE or name.startswith(_SMART_TAGS)


def tokens(text: str) -> Iterator[Words | Tag]:
    """Take markup apart. Costs time and memory in proportion to its length."""
    last, last_marked = text.rfind(">"), text.rfind("]]>")
    here = begin = 0  # where to look on, and where the words begin that were not given yet
    comments = True
    while 0 <= (here := text.find("<", here)) < last:
        after = text[here + 1 : here + 2]
        found: Words | Tag | None = None
        end = here + 1
        if after == "!" or after == "?":
            found, end, comments = _declaration(text, here, last_marked, comments=comments)
        elif _LINK.match(text, here):
            end = text.index(">", here) + 1
        elif name := _NAME.match(text, here + 1):
            attributes, end = _attributes(text, name.end(), last)
            found = Tag(name[0].lower(), attributes=attributes)
        elif after == "/" and (name := _NAME.match(text, here + 2)):
            _, end = _attributes(text, name.end(), last)
            found = Tag(name[0].lower(), is_end=True)
        elif after == "/":
            found, end = Words("", is_seen=False), text.index(">", here) + 1
        if found is None:
            here = end
            continue
        if begin < here:
            yield Words(unescaped(text[begin:here]))
        if not isinstance(found, Words) or found.text:
            yield found
        if isinstance(found, Tag) and found.name in RAW and not found.is_end:
            closed = re.compile(rf"</{found.name}(?=[\s/>])", re.IGNORECASE).search(text, end)
            stop = len(text) if closed is None else closed.start()
            yield Words(text[end:stop], is_seen=False)
            end = stop
        here = begin = end
    if begin < len(text):
        yield Words(unescaped(text[begin:]))


def tokens_read(text: str) -> Iterator[Words | Tag]:
    """Take markup apart as `tokens` does, but for tags unknown to HTML in the middle of a word, over which a
    browser lets it go on (`Pee<x></x>ters`). Between elements of data, of which one ends and another begins,
    nothing goes on."""
    last, between = "", list[Words | Tag]()
    for token in tokens(text):
        if isinstance(token, Tag) or not token.is_seen or not token.text:
            between.append(token)
            continue
        is_one = bool(between) and _is_one_word(last, token.text[0], between)
        yield from (each for each in between if not is_one or (isinstance(each, Tag) and goes_on(each.name)))
        yield token
        last, between = token.text[-1], []
    yield from between


def _is_one_word(before: str, after: str, between: list[Words | Tag]) -> bool:
    strange = [each for each in between if isinstance(each, Tag) and not goes_on(each.name)]
    if not strange or any(each.name in _OF_HTML for each in strange):
        return False
    is_open: list[str] = []
    is_ended = False
    for each in strange:
        if not each.is_end:
            is_open.append(each.name)
        elif each.name in is_open:
            is_open.remove(each.name)
        else:
            is_ended = True
    if before.isdigit() and after.isdigit():
        return not is_open and not is_ended
    return not (is_open and is_ended) and ((before.islower() and after.islower()) or (before.isupper() and after.isupper()))


def _declaration(text: str, here: int, last_marked: int, *, comments: bool) -> tuple[Words | None, int, bool]:
    """Read what begins with `<!` or `<?`: a comment, marked text, or what a browser takes for a comment up to
    the next `>`."""
    if text.startswith("<!--", here):
        ended = _COMMENT_END.search(text, here + 2) if comments else None
        if ended is None:
            return None, here + 4, False
        return Words(text[here + 4 : max(ended.start(), here + 4)], is_seen=False), ended.end(), comments
    if text.startswith("<![CDATA[", here) and here < last_marked:
        stop = text.index("]]>", here)
        return Words(text[here + 9 : stop]), stop + 3, comments
    end = text.index(">", here)
    return Words(text[here + 2 : end], is_seen=False), end + 1, comments


def _attributes(text: str, here: int, last: int) -> tuple[tuple[tuple[str, str], ...], int]:
    """Read on to the `>` that ends a tag. A quotation mark that does not close before the last one is part of
    a value."""
    found: list[tuple[str, str]] = []
    while True:
        here = _end(_SPACES, text, here)
        if text[here] == ">":
            return tuple(found), here + 1
        name = _ATTRIBUTE.match(text, here)
        begin, here = here, name.end() if name else here + 1
        named = text[begin:here].lower()
        equals = _end(_BLANKS, text, here)
        value = ""
        if text[equals] == "=":
            here = _end(_BLANKS, text, equals + 1)
            quote = text[here]
            close = text.find(quote, here + 1, last) if quote in "\"'" else -1
            if close >= 0:
                value, here = text[here + 1 : close], close + 1
            else:
                begin, here = here, _end(_UNQUOTED, text, here)
                value = text[begin:here]
        found.append((named, unescaped(value)))


def _end(pattern: re.Pattern[str], text: str, here: int) -> int:
    found = pattern.match(text, here)
    return here if found is None else found.end()
