"""report.py - one line for each check, as the programs of tests/ print them."""

from __future__ import annotations

import sys


class Report:
    """The checks of one program; `about` stands in front of every label."""

    def __init__(self, about: str) -> None:
        self.about = about
        self.failed = False

    def check(self, label: str, good: bool, why: object = "") -> None:
        self.failed |= not good
        tail = f": {why}" if not good and str(why) else ""
        print(f"{'passed' if good else 'FAILED'}: {self.about}: {label}{tail}".replace("\n", " | "), flush=True)

    def skip(self, label: str, why: str) -> None:
        print(f"SKIPPED: {self.about}: {label}: {why}", flush=True)

    def end(self) -> None:
        sys.exit(1 if self.failed else 0)
