"""Where an answer is looked at for its review: one item at a time, the list of them beside it."""

from typing import Final

from starlette.responses import Response

from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.review.answers import Answer, answer_for
from crm_compliance.console.pages.review.filters import Filter
from crm_compliance.console.pages.review.views import filter_values, item_values, list_values
from jobs.model.answer import Item
from rules.errors import Refused
from rules.model.roles import Act


def begin(visit: Visit) -> Response:
    """Open the review at the first item that nobody has decided on, or at the end where there is none."""
    answer, among = answer_for(visit), Filter.of(visit)
    first = next(iter(among.among(answer.items, answer.compilation.language)), None)
    return _page(answer, first, among)


def show(visit: Visit) -> Response:
    """Show one item; for a page that fetches it ahead of time it is sent, which does not yet show it."""
    answer, among = answer_for(visit), Filter.of(visit)
    item = answer.item(visit.path("item"))
    if visit.is_part:
        answer.serve(item)
        return visit.part("review/item.html.j2", **item_values(answer, item, among))
    return _page(answer, item, among)


def note_shown(visit: Visit) -> Response:
    """Take the page's word that an item which was sent is on the screen now. Raises Refused: with code
    `not_shown`, where it was not sent as it stands."""
    answer = answer_for(visit)
    item = answer.item(visit.path("item"))
    if not answer.is_served(item):
        raise Refused("this item is not as it was sent to you", hint="look at it again", code="not_shown")
    answer.show(item)
    return Response(status_code=204, headers=dict(PAGE))


def _page(answer: Answer, item: Item | None, among: Filter) -> Response:
    values = list_values(answer, among, item) | filter_values(answer, among)
    if item is not None:
        answer.show(item)
        values |= item_values(answer, item, among)
    else:
        values |= {"item": None, "answer": answer, "compilation": answer.compilation}
    return answer.visit.page("review/review.html.j2", **values)


ENDPOINTS: Final = (
    get("/requests/{request}/review", begin, Act.SEE_ANSWER),
    get("/requests/{request}/review/{item}", show, Act.SEE_ANSWER),
    post("/requests/{request}/review/{item}/shown", note_shown, Act.HANDLE_REQUEST),
)
