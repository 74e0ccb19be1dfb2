"""How much of what is planted in a file reaches a released package, if a person approves whatever is
proposed.

Fictitious names of third persons, in thirty forms and in some thirty kinds of content, first of people whom
the CRM knows in the same dossier, then of people nobody knows. What waits because nobody here can read it is
counted by itself: a person looks at it.

    python -m benchmarks.redaction [--before TREE] [--details]

With `--before`, the same for another working tree of the product, such as that of an earlier commit. About
two minutes a tree.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from random import Random

from benchmarks.redaction_corpus import KNOWN, UNKNOWN, Case, corpus

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="another working tree of the product")
    parser.add_argument("--details", action="store_true", help="which forms and kinds got through")
    parser.add_argument("--names", type=int, default=500, help="how many of each sort")
    given = parser.parse_args()
    trees = [("now", HERE.parent)] if given.before is None else [("before", given.before.resolve()), ("now", HERE.parent)]
    for known in (True, False):
        cases = list(corpus(KNOWN if known else UNKNOWN))
        cases = Random(1).sample(cases, min(given.names, len(cases)))
        print(f"{len(cases)} names that the CRM {'knows' if known else 'does not know'}")
        for label, tree in trees:
            fates = measured(cases, tree, KNOWN if known else ())
            count = Counter(fates)
            others = ", ".join(f"{count[fate]} {fate}" for fate in sorted(count) if fate != "reaches")
            print(f"  {label:6} {count['reaches']:4} reach a package ({count['reaches'] / len(cases):.1%}); {others}", flush=True)
            if given.details:
                show(cases, fates)


def measured(cases: list[Case], tree: Path, known: tuple[tuple[str, str], ...]) -> list[str]:
    """What became of each case in one working tree."""
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder, "cases.json"), Path(folder, "fates.json")
        asked.write_text(json.dumps({"cases": [asdict(case) for case in cases], "known": known}))
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        subprocess.run([sys.executable, str(HERE / "redaction_run.py"), str(asked), str(told)], check=True, cwd=tree, env=environment)
        fates: list[str] = json.loads(told.read_text())
        return fates


def show(cases: list[Case], fates: list[str]) -> None:
    through = [case for case, fate in zip(cases, fates, strict=True) if fate == "reaches"]
    for what, count in (("form", Counter(case.form for case in through)), ("kind", Counter(case.kind for case in through))):
        print(f"         by {what}: " + ", ".join(f"{name} {number}" for name, number in count.most_common()))


if __name__ == "__main__":
    main()
