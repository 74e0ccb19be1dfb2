"""A form of a page filled in with what somebody had typed in it before. Done in the HTML, so that a browser
without script shows it too, and one with script finds a page like any other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final, NamedTuple
from urllib.parse import urlsplit

NOT_TYPED: Final = frozenset({"hidden", "file", "password", "submit", "button", "reset", "image"})
FOLDED: Final = ("details", "dialog")  # what stands in one is seen once it is open


class Edit(NamedTuple):
    """What takes the place of a piece of the page."""

    begin: int
    end: int
    text: str


@dataclass(slots=True)
class _Tag:
    begin: int
    end: int
    name: str
    attributes: dict[str, str | None]
    inner_end: int = 0  # of a textarea: where its text ends
    options: "list[_Tag]" = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.attributes.get("name") or ""

    @property
    def kind(self) -> str:
        return (self.attributes.get("type") or "text") if self.name == "input" else self.name

    def written(self, added: dict[str, str | None], without: str = "") -> Edit:
        """Write the tag with some attributes more, and one less; None is the value of an attribute without
        one."""
        both = {name: value for name, value in self.attributes.items() if name != without} | added
        said = (f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in both.items())
        return Edit(self.begin, self.end, f"<{self.name}{''.join(said)}>")


@dataclass(slots=True)
class _Form:
    tag: _Tag
    folds: tuple[_Tag, ...]  # around it
    fields: list[_Tag] = field(default_factory=list)
    folds_of: dict[int, tuple[_Tag, ...]] = field(default_factory=dict)  # around each of its fields

    def goes_to(self, action: str) -> bool:
        said = [self.tag.attributes.get("action"), *(each.attributes.get("formaction") for each in self.fields)]
        return any(each is not None and urlsplit(each).path == action for each in said)

    def likeness(self, given: Sequence[tuple[str, str]]) -> int:
        """Return how well it fits what was sent: by the names of fields, and by what hidden ones say."""
        names = {each.key for each in self.fields}
        hidden = {(each.key, each.attributes.get("value") or "") for each in self.fields if each.kind == "hidden"}
        return sum(name in names for name, _ in given) + 2 * sum(one in hidden for one in given)


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[_Form] = []
        self._lines = [0]
        for line in html.split("\n")[:-1]:
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._folds: list[_Tag] = []
        self._form: _Form | None = None
        self._open: _Tag | None = None  # a textarea or a select
        self.feed(html)
        self.close()

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        here = _Tag(self._at(), self._at() + len(text), tag, dict(attrs))
        if tag in FOLDED:
            self._folds.append(here)
        elif tag == "form":
            self._form = _Form(here, tuple(self._folds))
            self.forms.append(self._form)
        elif tag == "option" and self._open is not None:
            self._open.options.append(here)
        elif self._form is not None and tag in ("input", "textarea", "select", "button"):
            self._form.fields.append(here)
            self._form.folds_of[here.begin] = tuple(self._folds)
            if tag in ("textarea", "select"):
                self._open = here

    def handle_endtag(self, tag: str) -> None:
        if tag in FOLDED and self._folds:
            self._folds.pop()
        elif tag == "form":
            self._form = None
        elif tag in ("textarea", "select") and self._open is not None:
            self._open.inner_end = self._at()
            self._open = None


def refilled(html: str, action: str, given: Sequence[tuple[str, str]], notice: str, wrong: tuple[str, str] = ("", "")) -> str | None:
    """Return the page with the form that goes to `action` filled in, `notice` at its head, and everything
    open in which it stands; None where the page has no such form. Hidden fields stay as the page has them.
    `wrong` names a field and says what is wrong with it, which then stands at the field; the first one that
    is wrong has the focus."""
    forms = [form for form in _Reader(html).forms if form.goes_to(action)]
    if not forms:
        return None
    form = max(forms, key=lambda each: each.likeness(given))
    edits = [Edit(form.tag.end, form.tag.end, notice)]
    folds = {each.begin: each for each in form.folds}
    waiting: dict[str, list[str]] = {}
    for name, value in given:
        waiting.setdefault(name, []).append(value)
    marked = _marked(form, *wrong)
    for each in form.fields:
        made = _filled(html, each, waiting)
        if each is marked and not any(edit.begin == each.begin for edit in made):
            made.append(each.written({}))
        edits += made
        if made:
            folds |= {fold.begin: fold for fold in form.folds_of[each.begin]}
    if marked is not None and (says := _says_at(marked, *wrong)):
        edits.append(Edit(marked.begin, marked.begin, says))
    edits += [fold.written({"open": None}) for fold in folds.values()]
    for edit in sorted(edits, reverse=True):
        html = html[: edit.begin] + edit.text + html[edit.end :]
    return html


def _marked(form: _Form, name: str, says: str) -> _Tag | None:
    """Mark the first field that is wrong: the one of this name, or as the page has them already. Return
    it."""
    typed = [each for each in form.fields if each.kind not in NOT_TYPED]
    found = next((each for each in typed if each.key == name or "aria-invalid" in each.attributes), None)
    if found is None:
        return None
    found.attributes |= {"aria-invalid": "true", "autofocus": None}
    if _says_at(found, name, says):
        found.attributes["aria-describedby"] = f"{found.attributes.get('aria-describedby') or ''} e-{name}".strip()
    return found


def _says_at(tag: _Tag, name: str, says: str) -> str:
    """Return what stands before a field that is wrong; nothing before one of several choices."""
    is_text = tag.key == name and tag.kind not in ("checkbox", "radio")
    return f'<p class="error" id="e-{name}">{escape(says)}</p>' if is_text and says else ""


def _filled(html: str, tag: _Tag, waiting: dict[str, list[str]]) -> list[Edit]:
    """Return what changes in one field, nothing where it says already what was given."""
    if not tag.key or tag.kind in NOT_TYPED:
        return []
    values = waiting.get(tag.key, [])
    if tag.kind in ("checkbox", "radio"):
        value = tag.attributes.get("value")
        is_on = ("on" if value is None else value) in values
        if is_on == ("checked" in tag.attributes):
            return []
        return [tag.written({"checked": None}) if is_on else tag.written({}, without="checked")]
    if tag.kind == "select":
        return _chosen(tag, values)
    if not values:  # a part of the form that was not asked for
        return []
    value = values.pop(0)
    if tag.kind == "textarea":
        before = html[tag.end : tag.inner_end]
        after = "\n" + escape(value.replace("\r\n", "\n"), quote=False)  # the line end right after the tag is none of the text
        if before.removeprefix("\n") == after[1:]:
            return []
        return [tag.written({"data-was": unescape(before.removeprefix("\n"))}), Edit(tag.end, tag.inner_end, after)]
    return [tag.written({"value": value})] if value != (tag.attributes.get("value") or "") else []


def _chosen(tag: _Tag, values: Sequence[str]) -> list[Edit]:
    chosen = next((each for each in tag.options if each.attributes.get("value") in values), None)
    if chosen is None or "selected" in chosen.attributes:
        return []
    others = [each.written({}, without="selected") for each in tag.options if "selected" in each.attributes]
    return [*others, chosen.written({"selected": None})]
