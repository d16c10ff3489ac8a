#!/usr/bin/env python3
"""gcov as gcovr 5 is to read it (tests/run.sh coverage).

In code that never ran GCC 12's gcov writes "branch N never executed", whether the branch is one of the source or the way of an
exception, and gcovr's --exclude-throw-branches cannot know the latter. gcov's JSON does: here they get their "(throw)" back.
"""
import json
import re
import subprocess
import sys


def run(*options):
    return subprocess.run(["gcov", *sys.argv[1:], *options], capture_output=True, text=True, errors="surrogateescape")


def throws_by_line(report):
    """By source file and line: of each branch, in gcov's order, whether it is the way of an exception."""
    throws = {}
    for file in json.loads(report)["files"] if report else []:
        lines = throws.setdefault(file["file"], {})
        for line in file["lines"]:
            lines.setdefault(line["line_number"], [branch["throw"] for branch in line["branches"]])
    return throws


def mend(text, throws):
    """One .gcov file: lines of source, each with its branches after it."""
    mended, lines, branches = [], {}, iter(())
    for row in text.splitlines(keepends=True):
        if source := re.match(r" *-: *0:Source:(.*)", row):
            lines = throws.get(source[1], {})
        elif line := re.match(r"[^:]*: *([0-9]+):", row):
            branches = iter(lines.get(int(line[1]), ()))
        elif row.startswith("branch ") and next(branches, False):
            row = row.replace("never executed", "taken 0 (throw)")
        mended.append(row)
    return "".join(mended)


gcov = run()
sys.stdout.write(gcov.stdout)
sys.stderr.write(gcov.stderr)
written = re.findall(r"^Creating '(.*)'$", gcov.stdout, re.MULTILINE)
if written:
    known = throws_by_line(run("--json-format", "--stdout", "--branch-probabilities").stdout)
    for path in written:
        with open(path, "r+", encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = mend(file.read(), known)
            file.seek(0)
            file.truncate()
            file.write(text)
sys.exit(gcov.returncode)
