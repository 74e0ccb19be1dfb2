"""The page: the answer as one HTML file that is read offline, without a script and without a request to
anywhere (EXP-12, EXP-19)."""

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec
from jinja2 import Template

from crm_compliance.answer_package.characters import french, visible
from crm_compliance.answer_package.content.answer import Answer
from crm_compliance.configuration.organisation import product_texts
from crm_compliance.reports.parts.template import environment

WORDS: Final = ("skip", "contents", "letter", "back")
FOLDER: Final = files("crm_compliance.answer_package")


def page_html(answer: Answer) -> bytes:
    """Make the page."""
    words = product_texts(answer.language)["page"]
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    given = {"answer": msgspec.to_builtins(answer), "words": {key: words[key] for key in WORDS}}
    page = _template(answer.language).render(
        **given, style=style, policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return page.encode()


@lru_cache(maxsize=4)
def _template(language: str) -> Template:
    seen = _seen_in_french if language == "fr" else _seen
    return environment().overlay(finalize=seen).from_string((FOLDER / "page.html.j2").read_text(encoding="utf-8"))


def _seen(value: object) -> object:
    """Return the value without invisible characters. They are left out of every text (never out of markup,
    which is not a plain str here)."""
    return visible(value) if type(value) is str else value


def _seen_in_french(value: object) -> object:
    return french(visible(value)) if type(value) is str else value
