"""What axe-core finds wrong with a page. Its script is given to a page once, whatever the page allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from playwright.sync_api import Page

_RUN: Final = """async () => (await axe.run(document, { resultTypes: ["violations"], selectors: false })).violations
  .map((each) => [each.id, each.nodes.slice(0, 3).map((node) => node.html)])"""


def violations(page: Page) -> list[Any]:
    """Each rule that a page breaks, as it is now, with the first elements that do."""
    if not page.evaluate("'axe' in window"):
        # The protocol itself remembers a script that it has compiled; `Page.evaluate` compiles it anew.
        page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": AXE_SCRIPT})
    found: list[Any] = page.evaluate(_RUN)
    return found
