"""What a plan and a `why` may cost, in counts: benchmarks/budgets.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.budgets import LARGE, SMALL, Costs, ceilings, costs, counts_of, crossed
from connectors.dynamics.reading.decoder import PageDecoder
from connectors.dynamics.reading.page_values import Page


@pytest.fixture(scope="module")
def less() -> Costs:
    return costs(SMALL)


def test_a_plan_and_a_why_cost_no_more_than_they_may(less: Costs) -> None:
    assert crossed(counts_of(less, costs(LARGE)), ceilings()) == []


def test_pages_decoded_twice_and_looked_at_row_by_row_cross_the_ceilings(less: Costs, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = PageDecoder.decode
    inner: list[PageDecoder[Any]] = []

    def twice(decoder: PageDecoder[Any], body: bytes, **options: Any) -> Page[Any]:
        if not inner:
            inner.append(decoder)
            values = decoder.decode(body, **options).values
            for row, etag in zip(values["id"], values["etag"], strict=True):
                (row.lower(), row.strip(), etag.strip(), hash(row))
            inner.clear()
        return decode(decoder, body, **options)

    monkeypatch.setattr(PageDecoder, "decode", twice)
    told = crossed(counts_of(less, costs(2 * SMALL)), ceilings())
    assert {each.partition(":")[0] for each in told} >= {"plan.decodings", "plan.calls_a_row"}


def test_a_count_without_a_ceiling_and_a_ceiling_without_a_count_are_told(tmp_path: Path) -> None:
    budgets = tmp_path / "budgets.toml"
    budgets.write_text("[plan]\nframes = 2\nrequests = 9\n")
    assert crossed({"plan": {"frames": 3, "calls": 1}}, ceilings(budgets)) == [
        "plan.frames: 3 is above 2",
        "plan.calls stands on one side only",
        "plan.requests stands on one side only",
    ]
