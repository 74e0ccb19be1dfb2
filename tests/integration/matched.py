"""A request of the one fictitious young person whom organisations of others have, as far as its candidate."""

import json

from tests.drivers.typist import DORA, Typist


def matched_with(typist: Typist, contact: str) -> tuple[str, list[str]]:
    """Open a request of Finn, identify him and confirm the contact; return the request, and the places that
    the match names as not searched."""
    given = {"firstname": "Finn", "lastname": "Peeters (fictief)", "birthdate": "2008-03-01", "phones": [], "nationalnumbers": []}
    form = {"right": "access", "requester_kind": "unknown", "received_at": "2026-11-25T10:00:00Z", "channel": "email", "language": "nl"}
    path = typist.folder / "form.json"
    path.write_text(json.dumps({**form, "given": {**given, "emails": ["finn@example.org"]}, "on_behalf_of": None}), "utf-8")
    request = str(typist.ask("requests", "open", path)["request"])
    typist.ask("requests", "identify", request, "--method", "eid", *DORA)
    match = typist.ask("requests", "match", request)
    (chosen,) = [each["candidate"] for each in match["candidates"] if each["id"] == contact]
    typist.ask("requests", "confirm", request, chosen, *DORA)
    return request, match["not_searched"]
