#!/usr/bin/env python3
"""count_tests.py - counts single tests after a ctest run of GoogleTest programs and says which failed.

usage: count_tests.py JUNIT_FILE GTEST_DIR     its last line is "tests: N passed, N failed, N skipped"

ctest's JUnit file has one case per program; GTEST_DIR holds the JSON report that each program wrote (GTEST_OUTPUT).  A
program without a report counts as one test; one whose report is fine but which ended badly (a leak at exit, say) adds
one failure.
"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count_report(file: Path) -> tuple[int, int, int]:
    """Passed, failed, skipped (disabled ones included) of one program."""
    report = json.loads(file.read_text(encoding="utf-8"))
    passed = failed = skipped = 0
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            if test.get("failures"):
                failed += 1
                print(f"FAILED: {suite['name']}.{test['name']}")
            elif test["result"] == "COMPLETED":
                passed += 1
            else:
                skipped += 1
                print(f"SKIPPED: {suite['name']}.{test['name']}")
    return passed, failed, skipped


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} JUNIT_FILE GTEST_DIR")
    total = [0, 0, 0]
    for case in ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        name, ran = case.get("name", ""), case.get("status")
        report = Path(sys.argv[2]) / f"kani_{name}_test.json"
        if ran in ("notrun", "disabled"):
            # "Unable to find executable" is a skip to ctest, not to us.
            reason = case.find("skipped")
            wanted = ran == "disabled" or (reason is not None and reason.get("message", "").startswith("SKIP_"))
            counts = (0, 0, 1) if wanted else (0, 1, 0)
            print(f"{'SKIPPED' if wanted else 'FAILED'}: {name} did not run")
        elif report.is_file():
            counts = count_report(report)
            if ran == "fail" and counts[1] == 0:
                print(f"FAILED: {name}: its tests passed but the program ended badly")
                counts = (counts[0], 1, counts[2])
        else:
            counts = (1, 0, 0) if ran == "run" else (0, 1, 0)
        if counts[1]:
            print(f"FAILED: {name}: {counts[1]} of {sum(counts)}")
        total = [sum(pair) for pair in zip(total, counts, strict=True)]
    print(f"tests: {total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
