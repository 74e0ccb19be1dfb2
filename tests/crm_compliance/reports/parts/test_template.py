"""Templates: what is missing is an error, and what comes from elsewhere is never markup but in plain text."""

import pytest
from jinja2 import DictLoader, UndefinedError

from crm_compliance.reports.parts.template import new_environment

TEXTS = {"page.html.j2": "<p>{{ said }}</p>", "letter.txt.j2": "{{ said }}", "width.html.j2": "{{ said|at }}"}
TEMPLATES = new_environment(DictLoader(TEXTS))


def test_a_value_that_is_missing_is_an_error_and_no_blank() -> None:
    with pytest.raises(UndefinedError, match="said"):
        TEMPLATES.get_template("page.html.j2").render()


def test_what_is_said_is_escaped_in_a_page_and_stands_as_it_is_in_plain_text() -> None:
    said = "<b>&'"
    assert TEMPLATES.get_template("page.html.j2").render(said=said) == "<p>&lt;b&gt;&amp;&#39;</p>"
    assert TEMPLATES.get_template("letter.txt.j2").render(said=said) == said


@pytest.mark.parametrize(("length", "written"), [(12.0, "12"), (0.5, "0.5"), (1.234, "1.23"), (100.0, "100"), (0.0, "0")])
def test_a_length_of_a_picture_has_no_decimals_that_say_nothing(length: float, written: str) -> None:
    assert TEMPLATES.get_template("width.html.j2").render(said=length) == written
