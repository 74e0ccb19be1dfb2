"""Sends change sets in batches, several at once and over several application users, as their governors allow.

Each change set is sent once. Only where the CRM said that it did nothing (429, or a user who is refused
altogether) the same is sent again, perhaps by another user. Whatever fails, nothing is left running: the
answers to what was sent are waited for first."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from connectors.dynamics.http.transport import Transport
from connectors.dynamics.writing.batch import Prepared, Sent, send_batch
from connectors.interface.changes import ChangeResult, ChangeStatus, Held
from connectors.interface.errors import ConnectorError


@dataclass(slots=True)
class _Work:
    """One call: what is still to be sent, what is known, and how long each user has been asked to wait."""

    prepared: Sequence[Prepared]
    waiting: list[int]
    results: dict[int, ChangeResult]
    held: Held | None
    reached: bool = False
    refusal: ConnectorError | None = None
    code: str = ""
    repeated: set[int] = field(default_factory=set)
    asked_to_wait_s: dict[int, float] = field(default_factory=dict)
    asked_until: dict[int, float] = field(default_factory=dict)

    def take(self, most: int) -> list[int]:
        """Take as many change sets as fit into one batch, at least one."""
        chosen: list[int] = []
        operations = 0
        for index in self.waiting:
            size = len(self.prepared[index].requests)
            if chosen and operations + size > most:
                break
            chosen.append(index)
            operations += size
        del self.waiting[: len(chosen)]
        return chosen

    def unheld(self, chosen: list[int]) -> list[int]:
        """Return those that came under no hold since the call began (HLD-07); the others get their result."""
        if self.held is None:
            return chosen
        names = [self.prepared[index].key for index in chosen]
        try:
            covered, status, code = self.held(names), ChangeStatus.HELD, ""
        except ConnectorError as failure:  # whether they are held cannot be told
            covered, status, code = names, ChangeStatus.UNKNOWN, failure.service_code
        for index in chosen:
            if self.prepared[index].key in covered:
                self.results[index] = ChangeResult(self.prepared[index].key, status, code)
        return [index for index in chosen if index not in self.results]

    def operations(self, indices: Sequence[int]) -> int:
        return sum(len(self.prepared[index].requests) for index in indices)

    def give_up(self) -> None:
        for index in self.waiting:
            self.results[index] = ChangeResult(self.prepared[index].key, ChangeStatus.UNKNOWN, self.code)
        self.waiting.clear()


class Pool:
    """The application users of one CRM, each with its own transport, on one timeline; `send` is for one
    thread at a time."""

    def __init__(self, transports: Sequence[Transport], warnings: list[str]) -> None:
        """Create the pool. `warnings` receives why something is refused, once for each reason."""
        self._transports = tuple(transports)
        self.warnings = warnings
        self._refused: set[int] = set()  # users who are asked no more; never all of them
        self._most = sum(transport.environment.pace.concurrency for transport in self._transports)
        self._threads: ThreadPoolExecutor | None = None

    @property
    def is_single(self) -> bool:
        """Whether there is never more than one batch at once."""
        return self._most == 1

    def close(self) -> None:
        """Release the threads."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def send(self, prepared: Sequence[Prepared], *, in_order: bool = False, held: Held | None = None) -> list[ChangeResult]:
        """Return one result for each change set, in the order given. `in_order`: none is sent before those
        ahead of it are answered. `held` is called right before each batch. Raises Unauthorised, Forbidden:
        the very first batches are refused as a whole, for every user. Later the rest is REFUSED instead, so
        that the results of what was done are not lost."""
        results = {index: one.result for index, one in enumerate(prepared) if one.result is not None}
        work = _Work(prepared, [index for index in range(len(prepared)) if index not in results], results, held)
        under_way: dict[Future[Sent], tuple[int, list[int]]] = {}
        try:
            while work.waiting or under_way:
                user, wait_s = self._most_ready(work)
                if user is None and not under_way:
                    work.give_up()
                elif user is not None and wait_s <= 0 and work.waiting and self._may_start(work, under_way, in_order):
                    self._start(work, user, under_way)
                elif under_way:
                    self._collect(work, under_way, wait_s if work.waiting else math.inf)
                elif work.refusal is not None and not work.reached:
                    raise work.refusal
                else:
                    self._sleep(wait_s)
        except BaseException:
            wait(under_way)
            for user, chosen in under_way.values():
                self._transports[user].gate.end(work.operations(chosen))
            raise
        if work.refusal is not None and not work.reached:
            raise work.refusal
        return [work.results[index] for index in range(len(prepared))]

    def _most_ready(self, work: _Work) -> tuple[int | None, float]:
        """Return the user that may send soonest, of these the least busy, and in how many seconds; None when
        all have used up our patience."""
        waits = [
            (wait_s, transport.gate.busy, user)
            for user, transport in enumerate(self._transports)
            if user not in self._refused
            and work.asked_to_wait_s.get(user, 0.0) <= transport.environment.max_wait_s
            and ((wait_s := transport.gate.wait_s()) <= transport.environment.max_wait_s or wait_s == math.inf)
        ]
        if not waits:
            return None, 0.0
        wait_s, _, user = min(waits)
        return user, wait_s

    @staticmethod
    def _may_start(work: _Work, under_way: Mapping[Future[Sent], object], in_order: bool) -> bool:
        """Return whether a batch may start. After a refusal nothing starts before it is known whether
        anything was done; see `send`."""
        return not (under_way and in_order) and (work.refusal is None or work.reached)

    def _start(self, work: _Work, user: int, under_way: dict[Future[Sent], tuple[int, list[int]]]) -> None:
        transport = self._transports[user]
        slots = sum(each.gate.slots for each in self._transports)
        chosen = work.unheld(work.take(transport.gate.operations(work.operations(work.waiting), slots)))
        if not chosen:
            return
        operations = work.operations(chosen)
        change_sets = [work.prepared[index] for index in chosen]
        transport.count(at_once=len(under_way) + 1)
        transport.gate.begin(operations)
        if self.is_single:  # in this thread: simple to follow, and always the same
            try:
                sent = send_batch(transport, change_sets)
            finally:
                transport.gate.end(operations)
            self._record(work, user, chosen, sent)
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="batch")
        under_way[self._threads.submit(send_batch, transport, change_sets)] = (user, chosen)

    def _collect(self, work: _Work, under_way: dict[Future[Sent], tuple[int, list[int]]], wait_s: float) -> None:
        """Wait for an answer, or until the next batch may start. Until it is collected here, a batch counts
        as running."""
        timeout = wait_s if 0 < wait_s < math.inf else None
        done = wait(under_way, timeout, FIRST_COMPLETED).done
        for answered in [each for each in under_way if each in done]:
            user, chosen = under_way.pop(answered)
            self._transports[user].gate.end(work.operations(chosen))
            self._record(work, user, chosen, answered.result())

    def _record(self, work: _Work, user: int, chosen: Sequence[int], sent: Sent) -> None:
        if sent.refusal is not None and len(self._refused | {user}) < len(self._transports):
            if user not in self._refused:
                self._refused.add(user)
                self.warnings.append(f"application user {user + 1} is refused, the others do its part: {sent.refusal}")
            work.waiting = sorted([*work.waiting, *chosen])  # nothing was done
            return
        self.warnings += sorted(sent.told - {*self.warnings})
        work.reached = work.reached or sent.reached
        work.refusal = work.refusal or sent.refusal
        for index, result in zip(chosen, sent.results, strict=True):
            if result is not None:
                # Whoever answers 429 in place of the CRM may have passed the change set on: it is read back.
                is_doubtful = index in work.repeated and result.status is ChangeStatus.CHANGED
                work.results[index] = replace(result, status=ChangeStatus.UNKNOWN) if is_doubtful else result
        if sent.wait_s is None:
            return
        transport = self._transports[user]
        transport.count(retries=1, throttled=int(sent.reached))  # an answer that is a 429 as a whole is counted where it comes in
        transport.gate.pause(sent.wait_s)  # also where only a part of an answer asked for it
        # Throttled before anything was done: the only case in which the same change set is sent again.
        again = {index for index in chosen if index not in work.results}
        work.waiting = sorted([*work.waiting, *again])
        work.repeated |= again
        work.code = sent.code
        now = transport.gate.timeline.now()
        until = work.asked_until.get(user, now)
        work.asked_to_wait_s[user] = work.asked_to_wait_s.get(user, 0.0) + max(0.0, now + sent.wait_s - max(until, now))
        work.asked_until[user] = max(until, now + sent.wait_s)

    def _sleep(self, seconds: float) -> None:
        self._transports[0].count(waited_s=seconds)
        self._transports[0].gate.timeline.wait(seconds)
