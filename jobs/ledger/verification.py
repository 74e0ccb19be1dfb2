"""Verifies the ledger: each entry against the one before it, and the whole against signed checkpoints that
are kept elsewhere (ACC-06, R-141)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from jobs.ledger.checkpoints import Checkpoint
from jobs.ledger.entries import FIRST, Chain, LedgerEntry, Verdict
from jobs.ledger.merkle import Tree
from rules.hints import Hint

# Key id, message, signature in base64 -> whether it is the signature of that key; None where the key is not
# known.
SignatureCheck = Callable[[str, bytes, str], bool | None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not verify: the place, such as `entry 7`, and what is wrong there; `entry` is the
    first one that it touches. `code` and `hint` are those of the error by which other commands refuse it,
    where there is one of its own."""

    where: str
    what: str
    entry: int | None = None
    code: str = ""
    hint: str | Hint = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Audit:
    """What verification found: the chain's verdict, how many checkpoints fit, and what does not verify, in
    the order of the ledger."""

    verdict: Verdict
    checkpoints: int
    problems: list[Problem]

    @property
    def ok(self) -> bool:
        return self.verdict.ok and not self.problems

    @property
    def first_broken(self) -> int | None:
        """The first entry of which something does not verify, one that was cut off included; None where all
        does, and then only. Where no problem touches an entry that could be named, nothing vouches for any of
        them."""
        if self.ok:
            return None
        return min((problem.entry for problem in self.problems if problem.entry is not None), default=1)


def audit_ledger(
    entries: Iterable[LedgerEntry | None],
    log: Sequence[Checkpoint | None],
    *,
    kept: Sequence[Checkpoint] | None = None,
    check: SignatureCheck | None = None,
) -> Audit:
    """Recompute a ledger from its first entry and check it against checkpoints kept elsewhere. `log` are
    the checkpoints kept elsewhere, None for an invalid line; `kept` those of the database, if that is
    available: each must have all of the other's. Without `check` no signature is checked."""
    problems = _about_log(log, check)
    problems += _about_kept([one for one in log if one is not None], kept) if kept is not None else []
    wanted = sorted({one.entries: one for one in [*(kept or ()), *log] if one is not None}.values(), key=lambda one: one.entries)
    chain, tree, met, agreed = Chain(), Tree(), 0, 0
    for entry in entries:
        if not chain.add(entry) or entry is None:
            continue
        tree.add(bytes.fromhex(entry.hash))
        while met < len(wanted) and wanted[met].entries <= tree.size:
            checkpoint = wanted[met]
            met += 1
            if checkpoint.entries == tree.size and (checkpoint.head, checkpoint.root) == (chain.head, tree.root.hex()):
                agreed += 1
            elif checkpoint.entries == tree.size:
                first = wanted[met - 2].entries + 1 if met > 1 else 1
                told = "rewritten: they are not those of the checkpoint"
                problems.append(Problem(f"entries {first} to {checkpoint.entries}", told, first))
    if chain.first_broken is not None:
        problems.insert(0, Problem(f"entry {chain.first_broken}", "does not follow from the one before it", chain.first_broken))
    elif met < len(wanted):
        last = wanted[-1].entries
        problems.append(Problem(f"entries {chain.entries + 1} to {last}", f"cut off: there were {last} at a checkpoint", chain.entries + 1))
    return Audit(chain.verdict, agreed, problems)


def _about_log(log: Sequence[Checkpoint | None], check: SignatureCheck | None) -> list[Problem]:
    problems: list[Problem] = []
    last: Checkpoint | None = None
    for number, checkpoint in enumerate(log, 1):
        where = f"checkpoint {number} of the external log"
        first = last.entries + 1 if last is not None else 1  # of the entries for which it vouches and no other before it does
        if checkpoint is None:
            problems.append(Problem(where, "is not as it was written", first))
            continue
        is_after_a_gap = number > 1 and log[number - 2] is None  # the unreadable line before it has been named
        if not is_after_a_gap and checkpoint.prev != (last.digest if last is not None else FIRST):
            problems.append(Problem(where, "does not follow from the one before it: one was dropped, moved or changed", first))
        if last is not None and checkpoint.entries <= last.entries:
            problems.append(Problem(where, "is over no more entries than the one before it", checkpoint.entries))
        if check is not None and (told := signature_problem(checkpoint, check)):
            problems.append(Problem(where, told, first))
        last = checkpoint
    return problems


def signature_problem(checkpoint: Checkpoint, check: SignatureCheck) -> str:
    """Return what is wrong with the signature of a checkpoint; empty if nothing is."""
    verdict = check(checkpoint.key, checkpoint.message, checkpoint.signature)
    return "" if verdict else f"is signed by the unknown key {checkpoint.key[:40]}" if verdict is None else "its signature does not verify"


def _about_kept(log: Sequence[Checkpoint], kept: Sequence[Checkpoint]) -> list[Problem]:
    """Return checkpoints that the database has lost or changed, and those missing from the external log."""
    outside, inside = {one.entries: one for one in log}, {one.entries: one for one in kept}
    problems = []
    before = 0
    for entries in sorted(outside.keys() | inside.keys()):
        where = f"checkpoint over {entries} entries"
        first, before = before + 1, entries
        if entries not in inside:
            problems.append(Problem(where, "the database has lost it", first))
        elif entries not in outside:
            problems.append(Problem(where, "the external log lacks it", first))
        elif inside[entries] != outside[entries]:
            problems.append(Problem(where, "database and external log do not tell the same", first))
    return problems
