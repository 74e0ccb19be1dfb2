"""`python -m tests.jobs.fuzz --cpu-seconds 3600 --seed N`: a long run, with what it found. Exit 1 where
something got past the border."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.jobs.fuzz.running import SLOW, Findings, run
from tests.jobs.fuzz.targets import TARGETS


def main() -> int:
    reads = argparse.ArgumentParser(prog="python -m tests.jobs.fuzz", description="Aim changed files at whatever reads files.")
    reads.add_argument("--cpu-seconds", type=float, default=60.0, help="of the processor, the reader's included")
    reads.add_argument("--seed", type=int, default=1, help="the same seed gives the same contents")
    reads.add_argument("--kind", default="", help="only seeds with this ending, such as pdf")
    reads.add_argument("--target", action="append", choices=[target.name for target in TARGETS], help="only this one; may be given again")
    reads.add_argument(
        "--keep", type=Path, default=Path("fuzz-found"), help="where contents that broke, stopped or slowed a reader are put"
    )
    asked = reads.parse_args()
    targets = [target for target in TARGETS if not asked.target or target.name in asked.target]
    found = run(asked.seed, cpu_seconds=asked.cpu_seconds, targets=targets, kind=asked.kind, keep=asked.keep)
    sys.stdout.write(told(found))
    return 1 if found.uncaught or (found.slowest and found.slowest[0][0] > SLOW) else 0


def told(found: Findings) -> str:
    """The findings in lines."""
    by_kind: dict[tuple[str, str], Counter[str]] = {}
    for (kind, target, outcome), times in found.outcomes.items():
        by_kind.setdefault((kind, target), Counter())[outcome] += times
    lines = [f"{found.contents} contents, {found.seconds:.0f} s of the processor", ""]
    for (kind, target), outcomes in sorted(by_kind.items()):
        lines.append(
            f"{kind:5} {target:10} {sum(outcomes.values()):7}  " + ", ".join(f"{what} {n}" for what, n in outcomes.most_common(12))
        )
    lines += ["", "slowest:", *(f"  {seconds:.3f} s  {target} {name} ({size} bytes)" for seconds, target, name, size in found.slowest)]
    peak, name, size = found.largest
    lines += [f"largest: {peak / 1024**2:.0f} MiB, {name} ({size} bytes)"]
    lines += [f"the reader stopped over {len(found.stopped)} contents: {', '.join(found.stopped[:10])}"]
    lines += [f"uncaught: {len(found.uncaught)}"]
    lines += [f"  {target} {name}\n{trace}" for target, name, trace in found.uncaught[:10]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
