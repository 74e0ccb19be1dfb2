"""The templates of the console, an environment for each language: every value is escaped and a missing one is
an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Final, cast

from jinja2 import BytecodeCache, Environment, PackageLoader, pass_context
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup

from crm_compliance.console.language.catalogs import translations
from crm_compliance.console.language.codes import words_of
from crm_compliance.console.language.days import typed_day
from crm_compliance.console.language.formats import Formats
from crm_compliance.console.language.own_words import NONE, OwnWords
from crm_compliance.console.language.rules import titles, with_links
from crm_compliance.console.layout.assets import address_of
from crm_compliance.reports.parts.template import new_environment
from rules.dates.calendar import Calendar
from rules.model.languages import OWN_NAMES, UI_LANGUAGES, UiLanguage

_ENDS_OF_PARTS: Final = re.compile(r"(?<=[._])(?=[^._])")


class Compiled(BytecodeCache):
    """What templates were compiled to, for the environments of all languages: these differ in the values that
    they give to templates, not in how they read them."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = Compiled()


@cache
def environment_of(language: UiLanguage, calendar: Calendar, own: OwnWords = NONE) -> Environment:
    """Return the environment in which pages of a language are written, with the hours of a calendar and the
    words of an organisation."""
    made = new_environment(PackageLoader("crm_compliance.console"), extensions=("jinja2.ext.i18n",))
    made.bytecode_cache = _COMPILED
    found = translations(language, own)
    made.install_gettext_callables(found.ugettext, found.ungettext, newstyle=True)  # type: ignore[attr-defined]  # by the extension
    formats = Formats.of(language, calendar)
    made.globals["ngettext"] = _counted(cast(Callable[..., str], made.globals["ngettext"]), formats)
    made.globals.update(
        {name: getattr(formats, name) for name in ("day", "short_day", "long_day", "month", "weekday", "clock", "time", "number")}
    )
    made.filters["breakable"] = breakable
    made.globals.update(
        language=language,
        languages={each: OWN_NAMES[each] for each in UI_LANGUAGES},
        own_name=lambda code: OWN_NAMES.get(code, code),
        static=address_of,
        typed_day=typed_day,
        word=words_of(language, own),
        with_rules=lambda text: with_links(text, language),
        rule_title=lambda rule: titles(language).get(rule, rule),
    )
    return made


def breakable(text: object) -> Markup:
    """Return a technical name that breaks where its parts meet, and not within one."""
    return Markup("<wbr>").join(_ENDS_OF_PARTS.split(str(text)))


def _counted(ngettext: Callable[..., str], formats: Formats) -> Callable[..., str]:
    """Return `ngettext` with the number as the language writes it: 12,345 units."""

    @pass_context
    def counted(context: Context, one: str, many: str, number: int, **values: object) -> str:
        return ngettext(context, one, many, number, **{"num": formats.number(number), **values})

    return counted
