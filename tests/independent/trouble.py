"""Fault scripts drawn from a seed: what a CRM, a gateway, a network and other people can do to a run."""

from random import Random
from typing import Any

Rule = dict[str, Any]
BATCH = r"re:\$batch$"
SETS = ("cf_dossiers", "cf_fiches", "cf_parties", "cf_recordings", "contacts", "annotations", "phonecalls", "emails")


def outage(rng: Random) -> Rule:
    kind = rng.choice(("throttle", "throttle inside", "gateway", "gateway inside", "sql"))
    every = rng.randint(2, 9)
    if kind == "throttle":
        match: Rule = {"path": rng.choice((BATCH, "/api/data/", "cf_")), "every": every}
        return {"match": match, "do": "status", "status": 429, "retry_after": rng.choice((0, 1))}
    if kind == "throttle inside":
        return {"match": {"method": "DELETE", "every": every * 3}, "do": "status", "status": 429, "retry_after": rng.choice((0, 1))}
    if kind == "gateway":
        match = {"method": rng.choice((["GET"], ["POST"])), "every": every}
        return {"match": match, "do": "status", "status": rng.choice((502, 503, 504)), "html": rng.choice((True, False))}
    if kind == "gateway inside":
        return {"match": {"method": ["DELETE", "PATCH"], "every": every * 4}, "do": "status", "status": 503}
    return {"match": {"method": ["GET", "DELETE"], "every": every * 3}, "do": "status", "status": 500, "code": "0x80044150"}


def line(rng: Random) -> Rule:
    kind = rng.choice(("cut_before", "cut_after", "truncate"))
    where = rng.choice(("batch", "inside", "read"))
    match: Rule = {"path": BATCH} if where == "batch" else {"method": ["GET"]} if where == "read" else {"method": ["DELETE", "PATCH"]}
    return {"match": match | {"every": rng.randint(2, 6) if where != "inside" else rng.randint(9, 40)}, "do": kind}


def slowness(rng: Random) -> Rule:
    match: Rule = rng.choice(({"path": BATCH}, {"method": "GET", "every": rng.randint(2, 6)}))
    return {"match": match, "do": "latency", "ms": rng.choice((20, 60, 150, 300))}


def pages(rng: Random) -> Rule:
    """Rows lost or doubled on the way: seen once or twice at most, as a read that is never whole ends no
    run."""
    match = {"method": "GET", "path": rng.choice((*SETS, "cf_statistics", "/api/data/")), "every": rng.randint(4, 15)}
    return {"match": match, "do": rng.choice(("lose_row", "duplicate_row"))}


def clock(rng: Random) -> Rule:
    return {"match": {"every": rng.randint(1, 7)}, "do": "skew", "s": rng.choice((-600, -5, 2))}


def token(rng: Random) -> Rule:
    """Once: a fixed token that is refused ends the command."""
    return {"match": {"method": ["GET", "POST"], "nth": rng.randint(7, 90)}, "times": 1, "do": "expire_token"}


def other_people(rng: Random) -> Rule:
    """A version that changes in the last moment, or a row that stays although its delete was answered with
    204."""
    match = {"method": "DELETE", "path": rng.choice((*SETS, "/api/data/")), "nth": rng.randint(1, 6)}
    return {"match": match, "times": rng.randint(1, 2), "do": rng.choice(("change_row", "keep_row"))}


PASSING = (outage, outage, line, line, slowness, pages, clock, token)


def script(rng: Random, *, lasting: bool) -> list[Rule]:
    """A few kinds of trouble at once; `lasting`: also such as changes what can be disposed of."""
    rules = [{"times": rng.randint(1, 6), **rng.choice(PASSING)(rng)} for _ in range(rng.randint(1, 5))]
    if lasting:
        rules += [other_people(rng) for _ in range(rng.randint(1, 3))]
    rng.shuffle(rules)
    return rules
