"""One answer under review: who looks, the items, and which of them were on this screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_compliance.console.frame.visit import Visit
from jobs.model.answer import Compilation, Item
from jobs.model.request import SubjectRequest
from jobs.register.request_steps import Actor
from jobs.requests.answer.decisions_file import version_of
from jobs.requests.answer.review import for_looking
from rules.errors import NotFound, Refused
from rules.model.requests import Step, is_allowed
from rules.model.roles import Act


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that somebody looks at. `is_open`: they may decide on its items now."""

    visit: Visit
    request: SubjectRequest
    compilation: Compilation

    @property
    def items(self) -> Sequence[Item]:
        return self.compilation.items

    @property
    def is_open(self) -> bool:
        return self.visit.may(Act.HANDLE_REQUEST) and is_allowed(Step.REVIEW, self.request.state)

    @property
    def path(self) -> str:
        return f"/requests/{self.request.id}/review"

    def item(self, name: str) -> Item:
        """Return one item. Raises NotFound: there is none of that name."""
        found = next((each for each in self.items if each.item == name), None)
        if found is None:
            raise NotFound("there is no such item in this answer", hint="go back to the list of items", where="item")
        return found

    # -- what was on the screen ------------------------------------------------------------------------------

    def serve(self, item: Item) -> None:
        """Remember that an item was sent, which is not yet that it is on the screen."""
        self._note(("served",), version_of(item))

    def show(self, item: Item) -> None:
        """Remember that an item is on the screen."""
        self._note(("served", "shown"), version_of(item))

    def show_file(self, item: Item) -> None:
        """Remember that the file of an item was opened."""
        self._note(("file",), item.digest)

    def is_served(self, item: Item) -> bool:
        return self._has("served", version_of(item))

    def refuse_unseen(self, item: Item) -> None:
        """Refuse to let out what was not on this screen as it stands. Raises Refused: with code
        `not_shown`."""
        say = self.visit.say
        if not self._has("shown", version_of(item)):
            message = say("This item was not on your screen as it stands now.")
            raise Refused(message, hint=say("Look at it, then decide."), code="not_shown")
        if item.attachment is not None and not item.text and not self._has("file", item.digest):
            message = say("You have not looked at the whole file of this item.")
            raise Refused(message, hint=say("Read it to its end where it is shown, or download it, then decide."), code="file_not_shown")

    def _note(self, what: Sequence[str], key: str) -> None:
        if self.visit.request.method == "HEAD":  # which brings nothing to any screen
            return
        keys = (f"{each} {self.request.id} {key}" for each in what)
        self.visit.services.sessions.note_seen(self.visit.token, *keys)

    def _has(self, what: str, key: str) -> bool:
        return self.visit.services.sessions.has_seen(self.visit.token, f"{what} {self.request.id} {key}")


def actor_for(visit: Visit) -> Actor:
    """Return who moves a request at this browser."""
    services, person = visit.services, visit.person
    return Actor(services.store, person.who, person.role, visit.now, services.keys().reference, services.calendar)


def answer_for(visit: Visit, actor: Actor | None = None) -> Answer:
    """Return the answer that the address names. Raises NotFound: there is no such request; Refused: with
    code `role`, `other_crm` or `not_compiled`."""
    request, compilation = for_looking(actor or actor_for(visit), visit.path("request"))
    return Answer(visit, request, compilation)
