"""`pganalytics logs analyze`: what a real server logged, as the installed command reports it."""

import glob
import json
import os
import subprocess

import pytest

from harness.wait import eventually


@pytest.fixture
def analyze(binaries):
    def run(*arguments, text=None):
        return subprocess.run([os.path.join(binaries, "bin", "pganalytics"), "logs", "analyze", *arguments], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60)

    return run


def test_the_report_counts_what_a_server_logged(postgres, analyze):
    postgres.sql("select 'hush-analyze'::integer", check=False)
    files = glob.glob(f"{postgres.log_dir}/*.log")
    eventually(lambda: any("hush-analyze" in open(file, errors="replace").read() for file in files), 20, "the error is in the log")

    done = analyze("--json", *files)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert any(entry["class"] == "query.invalid_text" and entry["count"] >= 1 for entry in report["classes"]), report["classes"]
    assert report["severities"]["ERROR"] >= 1 and "hush-analyze" not in done.stdout

    done = analyze(*files)
    assert done.returncode == 0 and "Most frequent errors" in done.stdout and "hush-analyze" not in done.stdout


def test_what_cannot_be_read_is_exit_code_1_with_a_hint(folder, analyze):
    done = analyze("-", text="no log at all\n")
    assert done.returncode == 1 and "HINT: Set --line-prefix" in done.stderr and done.stdout == ""
    done = analyze(os.path.join(folder, "none.log"))
    assert done.returncode == 1 and "cannot open" in done.stderr
