"""The description of the interface is what it does: schemathesis calls every operation with whatever fits the
description, and with whatever does not."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.applications import Starlette

from crm_compliance.console.api.answers import ROOT
from crm_compliance.console.api.app import ROUTERS
from crm_compliance.console.app import routes
from crm_compliance.console.frame.services import Services
from crm_compliance.identity.demo_people import DEMO_PEOPLE
from crm_compliance.service.web.app import app_of
from crm_compliance.service.web.downloads import Downloads
from rules.holds.placements import PLACEABLE, HoldType
from rules.model.roles import Role

DPO = next(person.who for person in DEMO_PEOPLE if person.role is Role.DPO)


@pytest.fixture
def described(plan: str, services: Services) -> Any:
    app = app_of(Downloads(services.store, services.clock), hosts={"testserver"}, console=routes(services, now=count(step=100.0).__next__))
    found = schemathesis.openapi.from_asgi(f"{ROOT}/openapi.json", app)
    found.config.generation.update(with_security_parameters=False)  # each call has a good token, whatever would be drawn
    return found


# An id that fits the description and names nothing is refused: what there is cannot be described.
OTHERS = [positive_data_acceptance]
SAME = settings(max_examples=10, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "otherwise"])
def test_every_operation_answers_as_described(described: BaseSchema, mode: GenerationMode) -> None:
    for found in described.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # the description itself is sound, or this raises

        @SAME
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers(case: Any) -> None:
            assume(r"\x00" not in repr((case.path_parameters, case.query)))  # in no address: refused before the interface is asked
            case.call_and_validate(headers={"Authorization": f"Bearer {DPO}"}, excluded_checks=OTHERS)

        try:
            answers()
        except Unsatisfiable:  # an operation that takes nothing cannot be given anything wrong
            assert mode is GenerationMode.NEGATIVE, operation.label


def test_the_description_needs_no_token_and_says_how_to_get_one(app: Starlette) -> None:
    from starlette.testclient import TestClient

    answer = TestClient(app, base_url="http://127.0.0.1:8080").get(f"{ROOT}/openapi.json")
    document = answer.json()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    described = sum(len(operations) for operations in document["paths"].values())
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    assert described == sum(len(route.methods or ()) for route in routes)
    assert all("422" not in operation["responses"] for operations in document["paths"].values() for operation in operations.values())


def test_every_kind_of_hold_can_be_asked_for_and_each_that_is_placed_can_be_placed(app: Starlette) -> None:
    from starlette.testclient import TestClient

    document = TestClient(app, base_url="http://127.0.0.1:8080").get(f"{ROOT}/openapi.json").json()
    of_list = next(each["schema"] for each in document["paths"]["/holds"]["get"]["parameters"] if each["name"] == "type")
    assert set(of_list["enum"]) == {"", *HoldType}
    assert set(document["components"]["schemas"]["Placed"]["properties"]["type"]["enum"]) == set(PLACEABLE)
