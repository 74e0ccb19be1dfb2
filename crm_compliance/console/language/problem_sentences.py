"""What is wrong in a YAML file, in the language of a page. The files' own reader says it in English, in a
sentence with names of the file in it: it is known again by its form here, and said again."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from crm_compliance.console.language.catalogs import translations
from rules.model.languages import UiLanguage

# What narrower sentences begin with stands behind them: the first that fits is it.
SENTENCES: Final = (
    "this is not YAML: it holds a character that YAML forbids",
    "this is not YAML: mapping values are not allowed here",
    "this is not YAML: found character %(sign)s that cannot start any token",
    "this is not YAML: found unexpected end of stream",
    "this is not YAML: found undefined alias %(name)s",
    "this is not YAML: found unknown escape character %(sign)s",
    "this is not YAML: could not find expected %(sign)s",
    "this is not YAML: expected %(wanted)s, but got %(found)s",
    "this is not YAML: expected <block end>, but found %(found)s",
    "this is not YAML: expected the node content, but found %(found)s",
    "this is not YAML: but found another document",
    "this is nested too deeply to be read",
    "the file is empty",
    "a key is a single word",
    "this key stands here twice, first on line %(line)s",
    "an alias (*) is not used here: write the value out",
    "aliases (*) repeat too much here: write the values out",
    "the tag %(tag)s is not used here",
    "this number is too long",
    "there is no value: write one, or leave the key out",
    "there is no value, and the key has to be there: write one",
    "there is no value, and the key has to be there: write {} where there is nothing to say",
    "a number is written with the digits 0 to 9 only",
    "a retention schedule is a mapping of keys and values",
    "this has to be a mapping of keys and values",
    "this key is not known: %(word)s stands under %(place)s",
    "this key is not known",
    "this key is missing",
    "this has to be text: put it in quotes",
    "this has to be a whole number",
    "this has to be true or false",
    "this is empty: name a kind, or leave the key out for all kinds",
    "this is empty",
    "the type is missing",
    "this has to be a list",
    "this has to be a date, written 2018-05-25",
    "this has to be greater than or equal to %(least)s",
    "this has to be greater than %(least)s",
    "this has to be less than or equal to %(most)s",
    "this has to be less than %(most)s",
    "a key has small letters, digits and underscores, and begins with a letter",
    "an e-mail address has a name, @ and a domain, such as privacy@example.org",
    "this has to be the id of a row: lower-case hexadecimal digits in five groups, without braces",
    "no public holidays are known of it: this has to be the ISO code of a country, or of a part, such as BE or DE-NW",
    "there is no such time zone: this has to be a name of the IANA time zone database, such as Europe/Brussels",
    "no telephone numbers are known of it: this has to be the ISO code of a country, such as BE",
    "no check of such national numbers is known: write be, none, or a module of python-stdnum such as nl.bsn",
    "a disposition is one of %(words)s",
    "name the public holidays that count in %(country)s beside it: holidays: %(same)s",
    "name the national numbers of %(country)s beside it: national_number: a module of python-stdnum such as nl.bsn, or none",
    "name the time zone whose days count in %(country)s as well: timezone: Europe/…",
    "a schedule is approved by two different persons at least (RET-06)",
    "who proposes a schedule does not approve it (R-022)",
    "a row is approved by two different persons at least (RET-06)",
    "who proposes a schedule does not approve one of its rows (R-022)",
    "there is no row %(row)s in categories",
    "this canary is named twice",
    "no row is enabled: an empty schedule would keep everything for ever",
    "the row recording is missing: recordings have a term of their own (RET-03)",
    "the row recording cannot be switched off (RET-03)",
    "the unit of the row recording is recording (RET-03)",
    "a recording is deleted: voice and verbatim text cannot be anonymised (2.2)",
    "keys that begin with total_ are those of totals (5.4)",
    "recordings go by the row recording alone (RET-03)",
    "the unit %(unit)s has no kinds; %(others)s have",
    "a row for the unit %(unit)s says delete: nothing of it is kept without its person",
    "a row for tables of the organisation's own says delete: what is emptied stands under masked in the mapping",
    "a row without a term says retain (RET-15)",
    "only a row of the type no_term says retain; here it is delete or anonymise",
    "the unit %(unit)s has no age: until_age is for dossiers",
    "%(anchor)s does not fit the unit %(unit)s; it has %(fitting)s",
    "an anchor stands here twice",
    "a row without a term disposes of nothing, so nothing can be bypassed",
    "a row for contacts decides over no contact: say so under contacts.bypass",
    "the unit %(unit)s is not a file of a child: only a row for dossiers says so (RGT-09)",
    "only a category of months may disregard that a dossier is open (RET-13)",
    "a word stands here twice",
    "the controller has not decided yet: write the %(field)s before the row is enabled (RET-06)",
    (
        "without kinds the row is for every %(unit)s, also for those of %(rows)s, which is off: give it its kinds, enable "
        "the other row too, or take that out"
    ),
    (
        "the end of a partnership is recorded nowhere in the CRM, so nobody could tell when the period begins: set enabled: "
        "false, and end the relation by hand (a contact without a parent account is not a partner)"
    ),
    "a contact whose last relation has ended is deleted (RET-20)",
    "there is no category %(category)s",
    "%(category)s is not a category of dossiers",
    "no line is for the empty outcome (RET-12)",
    "no line is for %(outcome)s (RET-12)",
    "the empty outcome has two lines (RET-12)",
    "%(outcome)s has two lines (RET-12)",
    "an outcome stands here twice",
    "no line of derive leads here: name under derive the category of the CRM that goes by this row",
    (
        "no line of derive leads here, and the mapping has no category %(category)s: name under derive the category of the "
        "CRM that goes by this row"
    ),
    "this has to be one of %(words)s",
)
MEANT: Final = "%(problem)s; did you mean %(word)s?"
THE_END: Final = "the end of the file"
OF_PROBLEMS: Final[Mapping[str, Mapping[str, str]]] = {"yaml_sentence": {each: each for each in (*SENTENCES, MEANT, THE_END)}}
_BLANK: Final = re.compile(r"%\\\((\w+)\\\)s")


def problem_in(language: UiLanguage, problem: str) -> str:
    """Return what is wrong in the words of a language, behind the place that it names, if there is one; empty
    for a sentence that has none."""
    said = translations(language).ugettext
    if found := _form(MEANT).fullmatch(problem):
        told = problem_in(language, found["problem"])
        return said(MEANT) % {"problem": told, "word": found["word"]} if told else ""
    place, told = "", problem
    while True:
        for sentence in SENTENCES:
            if found := _form(sentence).fullmatch(told):
                signs = {
                    name: each.replace("' or '", "' / '").replace("'<stream end>'", said(THE_END))
                    for name, each in found.groupdict().items()
                }
                return place + said(sentence) % signs
        head, colon, told = told.partition(": ")
        if not colon or " " in head:  # no place of a file has a space
            return ""
        place += head + colon


@cache
def _form(sentence: str) -> re.Pattern[str]:
    return re.compile(_BLANK.sub(r"(?P<\1>.+)", re.escape(sentence)))
