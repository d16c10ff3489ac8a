"""One `once` with all plugins under Valgrind: 0 bytes definitely lost in the collector. Workers are not traced: they limit their descriptors and what
they write before they load a plugin, and Valgrind needs both. LeakSanitizer watches them (`tests/run.sh asan`)."""

import glob
import os
import re
import shutil

import pytest


def is_sanitized(binary):
    with open(binary, "rb") as content:
        data = content.read()
    return b"__asan_init" in data or b"__tsan_init" in data


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
def test_once_with_all_plugins_leaks_nothing(postgres, make_collector, folder):
    collector = make_collector(
        f"""
[plugins.pg_stats]
enabled = true
timeout = "50s"
conninfo = "{postgres.conninfo()}"
[plugins.sysstat]
enabled = true
interval = "60s"
timeout = "50s"
[plugins.disk]
enabled = true
timeout = "50s"
[plugins.logs]
enabled = true
interval = "60s"
timeout = "50s"
paths = ["{postgres.log_dir}/*.log"]
start = "beginning"
"""
    )
    if is_sanitized(collector.binary):
        pytest.skip("LeakSanitizer watches this build already")
    done = collector.command("once", timeout=300, wrapper=["valgrind", "--leak-check=full", "--trace-children=yes", "--trace-children-skip=*/pganalytics-worker", f"--log-file={folder}/valgrind.%p"])
    assert done.returncode == 0, done.stderr
    reports = glob.glob(os.path.join(folder, "valgrind.*"))
    assert reports, "the collector was watched"
    for path in reports:
        with open(path) as report:
            text = report.read()
        lost = re.search(r"definitely lost: ([\d,]+) bytes", text)
        assert lost is None or lost.group(1) == "0", text
