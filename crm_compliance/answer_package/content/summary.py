"""What an answer comes to, on its first page: who it is about, how many records, from when to when, and what
was left out and why."""

from collections import Counter

from crm_compliance.answer_package.content.answer import Fact, Facts, Section
from crm_compliance.answer_package.content.reasons import left_out_rows
from crm_compliance.answer_package.content.view import Shown
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation


def summary(compilation: Compilation, shown: Shown, texts: Texts) -> Section:
    """Return the summary of a copy. That nothing was left out is never stated: for somebody who may not know
    of a file it would be false."""
    facts = [
        Fact(texts.say("summary", "about"), (compilation.about or compilation.addressee.name,)),
        Fact(texts.say("summary", "count"), (_count(shown, texts),)),
        Fact(texts.say("summary", "period"), _period(shown, texts)),
        Fact(
            texts.say("summary", "left_out"),
            tuple(texts.say("summary", "because", what=what, why=why) for what, why in left_out_rows(shown, texts)),
        ),
    ]
    return Section(texts.say("summary", "title"), (Facts(tuple(fact for fact in facts if fact.lines)),))


def _count(shown: Shown, texts: Texts) -> str:
    """Return how many records there are of each kind. A text that was released separately, or a file, is part
    of its record and is not counted itself."""
    if not shown.items:
        return texts.say("access", "empty")
    kinds = Counter(kind for _, kind in dict.fromkeys((item.record, item.kind) for item in shown.items))
    told = ", ".join(texts.say("summary", "kind", kind=texts.code("kind", kind), count=str(count)) for kind, count in kinds.items())
    count = kinds.total()
    return texts.say("summary", "items_one" if count == 1 else "items", count=str(count), kinds=told)


def _period(shown: Shown, texts: Texts) -> tuple[str, ...]:
    days = sorted(texts.civil_day(item.at) for item in shown.items if item.at)
    if not days:
        return ()
    first, last = texts.day(days[0]), texts.day(days[-1])
    return (texts.say("summary", "on_day" if first == last else "from_to", first=first, last=last),)
