"""The page of the rules: whoever is signed in finds each one at its address."""

from collections.abc import Callable

import pytest

from rules.model.roles import HUMAN_ROLES, Role
from tests.crm_compliance.console.browser import Browser, text_of


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_whoever_is_signed_in_finds_a_rule_at_its_address(signed_in: Callable[..., Browser], role: Role) -> None:
    page = signed_in(role).page("/rules")
    assert page.count('id="RET-08"') == 1
    assert "the youngest child decides" in text_of(page)


def test_the_rules_are_in_the_language_of_the_page(signed_in: Callable[..., Browser]) -> None:
    assert "het jongste kind beslist" in text_of(signed_in(Role.DPO, "nl").page("/rules"))
    assert "le plus jeune enfant décide" in text_of(signed_in(Role.DPO, "fr").page("/rules"))
