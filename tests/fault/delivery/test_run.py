"""The runner's own promises: rows name their scenarios, and --all is held to its figures. No process is started."""

import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import run
from scenario import ELSEWHERE, load_all, rows_of

RUNS = load_all()
MATRIX = [f"{letter}{number}" for letter, last in (("S", 18), ("N", 9), ("H", 16), ("C", 3), ("A", 5), ("G", 2), ("B", 3)) for number in range(1, last + 1)]


def test_a_row_may_be_several():
    assert rows_of("S1") == ["S1"]
    assert rows_of("H1-H3 H16") == ["H1", "H2", "H3", "H16"]


@pytest.mark.parametrize("row", MATRIX)
def test_every_row_of_the_matrix_is_run_here_or_told_where(row, capsys):
    if row not in ELSEWHERE:
        assert run.choose(RUNS, [row], False)
        return
    assert not any(row in found.scenario.rows for found in RUNS)
    with pytest.raises(SystemExit):
        run.choose(RUNS, [row], False)
    assert ELSEWHERE[row] in capsys.readouterr().err


def test_a_row_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        run.choose(RUNS, ["Z9"], False)
    assert "Z9" in capsys.readouterr().err


def test_fewer_kills_than_promised_are_told():
    assert run.shortfalls(dict(run.LEAST)) == []
    for name, least in run.LEAST.items():
        [line] = run.shortfalls({**run.LEAST, name: least - 1})
        assert re.search(f"only {least - 1:,} .*{least:,}", line)
    assert len(run.shortfalls({})) == len(run.LEAST)


def test_the_loops_are_long_enough():
    """Kills that the runs ask for; what they come to is counted when they run."""
    asked = {name: sum(found.parameters["kills"] for found in RUNS if found.scenario.name == name and found.parameters.get("when") != "before")
             for name in ("random_kills", "killed_at_commit", "torn_writes")}
    assert asked["random_kills"] >= run.LEAST["random_kills"]
    assert asked["killed_at_commit"] >= run.LEAST["commit_kills"]
    assert asked["torn_writes"] >= run.LEAST["torn"]
