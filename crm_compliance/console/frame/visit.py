"""One request of one person: who they are, what they sent, and how they are answered."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crm_compliance.console.access import cookies
from crm_compliance.console.access.answered_forms import ANSWER
from crm_compliance.console.access.headers import PAGE
from crm_compliance.console.access.origin import FIELD
from crm_compliance.console.access.sessions import form_token, is_called, name_of
from crm_compliance.console.access.unsent_forms import RENEWED
from crm_compliance.console.frame.list_page import ListPage
from crm_compliance.console.frame.services import Services
from crm_compliance.console.language.catalogs import language_for, translations
from crm_compliance.console.language.codes import words_of
from crm_compliance.console.language.days import iso_day
from crm_compliance.console.language.error_message import ErrorMessage, Said, told
from crm_compliance.console.language.formats import Formats
from crm_compliance.console.language.sentences import Detail, detail_in
from crm_compliance.console.language.templates import environment_of
from crm_compliance.console.layout.navigation import entries_for
from crm_compliance.console.layout.notes import NOTES
from crm_compliance.console.layout.refill import refilled
from crm_compliance.identity.signin import Person
from crm_compliance.store.rows.console.sessions import Session
from crm_compliance.wiring.software import new_id
from jobs.checks.denials import refuse_role
from jobs.model.sentence import Sentence
from rules.errors import ComplianceError, Refused, UsageError
from rules.model.languages import UiLanguage
from rules.model.roles import HUMAN_ROLES, Act, is_service, roles_of

NOTE_LASTS: Final = timedelta(seconds=30)
AFRESH: Final = "afresh"  # of an address: its forms are shown without what was typed before
UNSENT: Final = "unsent"  # the place on a page where such a form begins
TOLD: Final = '<div id="told"'  # where every page says what it has to say first
THEMES: Final = ("auto", "light", "dark")
YEARS: Final = range(1900, 2200)  # beyond them nobody means a day, and soon there is none


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page is given. `session` is None before somebody has signed in."""

    request: Request
    services: Services
    token: str = ""
    session: Session | None = None
    form: FormData = field(default_factory=FormData)

    @property
    def person(self) -> Person:
        """Who acts, in the role in which they do."""
        assert self.session is not None  # the routes let nobody else in
        return person_of(self.session)

    def is_own(self, account: str) -> bool:
        """Return whether the person names their own account, by whatever they sign in as."""
        return self.session is not None and is_called(self.token, self.session, account)

    @property
    def is_over(self) -> bool:
        """Whether the session has ended, or the person acts in another role, since this was asked for: an
        answer that lasts asks."""
        session = self.services.sessions.of(self.token, self.now, is_used=False)
        return session is None or self.session is None or session.role != self.session.role

    @property
    def now(self) -> datetime:
        return self.services.clock()

    @property
    def language(self) -> UiLanguage:
        return language_for(self.request.cookies.get(cookies.LANGUAGE, ""), self.request.headers.get("Accept-Language", ""))

    @property
    def formats(self) -> Formats:
        return Formats.of(self.language, self.services.calendar)

    @property
    def is_part(self) -> bool:
        """Whether htmx asks for a piece of a page and not for a whole one: it wants the whole where somebody
        goes back."""
        headers = self.request.headers
        return "HX-Request" in headers and "HX-Boosted" not in headers and "HX-History-Restore-Request" not in headers

    def say(self, text: str) -> str:
        """Return a text of the code in the language of the page."""
        return Said(translations(self.language, self.services.own_words).ugettext(text))

    def say_counted(self, one: str, many: str, count: int) -> str:
        """Return one of two texts, as the language counts, with the number in the place of its `%s`."""
        return translations(self.language, self.services.own_words).ungettext(one, many, count) % self.formats.number(count)

    def word(self, kind: str, code: str) -> str:
        """Return a code in words, in the language of the page."""
        return words_of(self.language, self.services.own_words)(kind, code)

    def detail(self, said: Sentence | str) -> Detail:
        """Return what a job said of what it found, in the language of the page where it can be."""
        return detail_in(self.word, self.formats, said)

    def told(self, error: ComplianceError, *kinds: str) -> ErrorMessage:
        """Return an error in words, in the language of the page; see `language.error_message`."""
        own = self.services.own_words
        found = told(self.language, error, *kinds, code="signin" if self.session is None and error.code == "role" else "", own=own)
        return found._replace(field=error.field or error.where)

    def category(self, key: str) -> str:
        """Return the name of a category in the language of the page: as the schedule has it, else as the
        organisation calls what the CRM says; its key where neither does."""
        try:
            found = self.services.policy_shown().categories.get(key)
        except ComplianceError:
            found = None
        if found is not None:
            return str(getattr(found.labels, self.language))
        said = self.services.organisation.words.get("value", {}).get(key)
        return said.in_language(self.language) if said is not None else key

    def may(self, act: Act) -> bool:
        """Return whether the person may do something in their role (section 9.4)."""
        return self.person.may(act)

    def refuse(self, act: Act) -> None:
        """Refuse and record it where the person may not (ACC-10). Raises Refused: with code `role`."""
        person = self.person
        if person.may(act):  # as nearly always: the keys are not opened for it
            return
        told = {"role": person.role, "by": self.services.keys().reference("person", person.who)}
        try:
            refuse_role(self.services.store, person.who, person.role, act, told)
        except Refused as error:
            fitting = [role for role in roles_of(act) if role in HUMAN_ROLES]
            own = [role for role in fitting if self.session is not None and role in self.session.roles]
            says = self.say("Your role may not do this. Ask somebody in one of these roles: %(roles)s.")
            if own:
                says = self.say("The role in which you act may not do this. Choose another of yours, at your name: %(roles)s.")
            says %= {"roles": ", ".join(self.word("role", role) for role in own or fitting)}
            raise Refused(Said(says), code=error.code) from error

    def path(self, name: str) -> str:
        """Return a part of the address that the route names."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """Return a part of the query of the address."""
        return self.request.query_params.get(name, default)

    def list_page(self, total: int, rows: int) -> ListPage:
        """Return which page of a list is asked for (`page`): of a list of `total`, `rows` to a page; the last
        one where there are fewer, the first where none is named."""
        text, pages = self.query("page", "1"), max(1, -(-total // rows))
        number = min(max(1, int(text)), pages) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
        return ListPage(number, rows, total)

    def page_at(self, path: str, *names: str) -> Callable[[int], str]:
        """Return what gives the address of another page of a list, with these parts of the query."""
        kept = {name: found for name in names if (found := self.query(name))}
        return lambda page: f"{path}?{urlencode({**kept, 'page': page})}"

    def given(self, name: str) -> str:
        """Return a field of the form as text, without space around it; empty where it is lacking."""
        found = self.form.get(name)
        return found.strip() if isinstance(found, str) else ""

    def all_given(self, name: str) -> list[str]:
        """Return all values of a field that may be there several times."""
        return [each.strip() for each in self.form.getlist(name) if isinstance(each, str)]

    def needed(self, name: str, label: str) -> str:
        """Return a field that has to be there. Raises UsageError: it is empty."""
        if not (found := self.given(name)):
            raise UsageError(Said(self.say("%s: this is missing") % label), where=name, hint=self.say("Fill it in."))
        return found

    def given_day(self, name: str, label: str) -> date | None:
        """Return a field of the form as a day, None where it is empty. Raises UsageError: it is none."""
        return self._day(self.given(name), name, label)

    def needed_day(self, name: str, label: str) -> date:
        """Return a field of the form as a day. Raises UsageError: it is none, or empty."""
        if (found := self.given_day(name, label)) is None:
            raise self._no_day(name, label)
        return found

    def asked_day(self, name: str, label: str) -> date | None:
        """Return a part of the query as a day, None where there is none. Raises UsageError: it is none."""
        return self._day(self.query(name).strip(), name, label)

    def _day(self, text: str, name: str, label: str) -> date | None:
        try:
            found = date.fromisoformat(iso_day(text)) if text else None
        except ValueError:
            raise self._no_day(name, label) from None
        if found is not None and found.year not in YEARS:
            raise self._no_day(name, label)
        return found

    def _no_day(self, name: str, label: str) -> UsageError:
        hint = self.say("Write it as day/month/year, for example 25/11/2026.")
        return UsageError(Said(self.say("%s: this is not a day") % label), where=name, hint=hint)

    def id_of_form(self, prefix: str) -> str:
        """Return the id of what a form makes. The same form sent twice, by a double click or over a
        connection that was lost, names the same: the field `once` is another one on each page. One that was
        changed, or carries no such field, names something new."""
        if not self.given("once"):
            return new_id(prefix)
        said = [(name, value) for name, value in self.form.multi_items() if isinstance(value, str) and name != FIELD]
        return f"{prefix}-{hmac.new(self.token.encode(), msgspec.json.encode(said), 'sha256').hexdigest()[:12]}"

    def page(self, template: str, /, status: int = 200, **values: object) -> Response:
        """Answer with a page, a file of `templates/pages/`; what this person had typed on it when their
        session ended, or has now sent and is wrong, stands in its form again."""
        html = self.written(f"pages/{template}", status=status, **values)
        if self.session is not None and self.request.method == "POST" and status >= 400:
            given = [(name, value) for name, value in self.form.multi_items() if isinstance(value, str) and name not in RENEWED]
            wrong = values.get("wrong")
            at_field = (wrong.field, wrong.message) if isinstance(wrong, ErrorMessage) else ("", "")
            html = refilled(html, quote(self.request.url.path), given, "", at_field) or html
        elif self.session is not None and self.request.method == "GET" and AFRESH not in self.request.query_params:
            html = self._with_unsent(html, self.session.who)
        response = HTMLResponse(html, status_code=status, headers=dict(PAGE))
        if cookies.NOTE in self.request.cookies:
            response.delete_cookie(cookies.NOTE)
        return response

    def _with_unsent(self, html: str, who: str) -> str:
        mark = "&" if self.request.query_params else "?"
        waiting = self.services.unsent.of(who, quote(self.request.url.path), self.now)
        for place, each in enumerate(waiting):
            if each.refused is not None:  # shown once, to who goes back; whoever comes later begins with an empty form
                self.services.unsent.sent(who, each.action)
            said: dict[str, Any] = {"is_first": place == 0, "lacks_file": each.lacks_file, "refused": each.refused}
            said["is_of_other_role"] = each.role != self.person.role
            said["afresh"] = f"{self.here}{mark}{AFRESH}=1"
            notice = self.written("components/unsent.html.j2", **said)
            filled = refilled(html, each.action, each.fields, notice, each.refused or ("", ""))
            if filled is None and each.texts:  # the form has gone, and what was written for it is not lost all the same
                gone = self.written("components/unsent.html.j2", **said, texts=each.texts)
                filled = html.replace(TOLD, f"{gone}{TOLD}", 1)
            html = filled or html
        return html

    def part(self, template: str, /, status: int = 200, **values: object) -> Response:
        """Answer htmx with a piece of a page."""
        return HTMLResponse(self.written(f"pages/{template}", status=status, **values), status_code=status, headers=dict(PAGE))

    def written(self, template: str, **values: object) -> str:
        """Write a template, with what every page is given."""
        return (
            environment_of(self.language, self.services.calendar, self.services.own_words)
            .get_template(template)
            .render(**self._shell(), **values)
        )

    def see(self, path: str, note: str = "") -> Response:
        """Send the browser to a page of ours; `note` is one of `NOTES`, said on it once."""
        if self.is_part:
            response: Response = Response(status_code=204, headers={"HX-Redirect": path, **PAGE})
        else:
            response = RedirectResponse(path, status_code=303, headers=dict(PAGE))
        if note:
            self.note_on(response, note)
        return response

    def note_on(self, response: Response, note: str) -> None:
        """Have one of `NOTES` said once, on the page that comes next."""
        cookies.give(response, cookies.NOTE, note, is_secure=self.services.is_secure, lasts=NOTE_LASTS)

    def _shell(self) -> Mapping[str, Any]:
        session = self.session
        person = person_of(session) if session else None
        chosen = self.request.cookies.get(cookies.THEME, "")
        return {
            "path": self.request.url.path,
            "query": str(self.request.query_params),
            "here": self.here,
            "person": person,
            "name": name_of(self.token, session) if session else "",
            "roles": session.roles if session else (),
            "once": secrets.token_hex(8),
            "csrf": form_token(self.token, session.role) if session else "",
            "navigation": entries_for(person) if person else (),
            "theme": chosen if chosen in THEMES else "auto",
            "category": self.category,
            "notes": NOTES,
            "said_of": self.told,
            "note": self.request.cookies.get(cookies.NOTE, "")[:40],
            "is_demo": self.services.settings.is_loopback,
            "may": (lambda act: person is not None and person.may(Act(act))),
            "now": self.now,
            "called": cache(self.called),
        }

    def called(self, who: str) -> str:
        """Return what an account is called on a page."""
        return self.word("role", who) if is_service(who) else self.services.names.of(who)

    @property
    def here(self) -> str:
        """Return the address of this page, for a form that comes back to it, in ASCII: a cookie takes it."""
        path, query = quote(self.request.url.path), str(self.request.query_params)
        return f"{path}?{query}" if query else path

    def again(self, path: str) -> Response:
        """Have a page of ours asked for afresh, also where the browser has it: what was typed is in its form
        then."""
        if self.is_part:
            return Response(status_code=409, headers={"HX-Refresh": "true", **PAGE})
        return RedirectResponse(f"{path}#{UNSENT}", status_code=303, headers=dict(PAGE))

    @property
    def came_from(self) -> str:
        """Return the address of the page of ours on which this was sent, as the browser says; empty where it
        says none."""
        try:
            page = urlsplit(self.request.headers.get("Referer", ""))
        except ValueError:
            return ""
        if page.netloc.casefold() != self.request.headers.get("Host", "").casefold():
            return ""
        return without(local_path(f"{page.path}?{page.query}" if page.query else page.path), ANSWER)


def person_of(session: Session) -> Person:
    """Return who acts in a session, in the role of now."""
    return Person(session.who, session.role)


def without(address: str, *names: str) -> str:
    """Return an address without some parts of its query."""
    path, _, query = address.partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    if not dict(given).keys() & set(names):
        return address
    kept = urlencode([(name, value) for name, value in given if name not in names])
    return f"{path}?{kept}" if kept else path


def local_path(text: str) -> str:
    """Return an address of this service to go to, `/` for any other."""
    is_ours = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return quote(text, safe="/?&=%-._~:,+") if is_ours and text.isprintable() else "/"
