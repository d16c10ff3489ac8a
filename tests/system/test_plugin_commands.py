"""What a plugin author and an operator do with plugin files: list, describe, run, with the first-party plugins and one that breaks its schema."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from harness.wait import eventually


@pytest.fixture
def pganalytics(binaries, folder):
    def command(*arguments, **options):
        return subprocess.run([os.path.join(binaries, "bin", "pganalytics"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, **options)

    return command


def first_party(binaries):
    return sorted(name[:-3] for name in os.listdir(os.path.join(binaries, "lib", "pganalytics", "plugins")) if name.endswith(".so"))


def test_the_toml_example_of_each_first_party_plugin_loads_once_uncommented(pganalytics, binaries, folder):
    for plugin in first_party(binaries):
        done = pganalytics("plugin", "describe", plugin, "--toml")
        assert done.returncode == 0, done.stderr
        assert all(line == "" or line.startswith("#") for line in done.stdout.splitlines()), "as it stands it is inert"
        config = os.path.join(folder, f"{plugin}.toml")
        with open(config, "w") as file:
            file.write(f'[collector]\nstate_dir = "{folder}/state"\n' + re.sub(r"(?m)^#(?=[^ #])", "", done.stdout))
        checked = pganalytics("check-config", "--config", config)
        assert checked.returncode == 0, f"{plugin}: {checked.stderr}\n{done.stdout}"
        assert f"{plugin} every" in checked.stdout


def test_the_reference_page_of_each_first_party_plugin_is_in_the_metrics_page(pganalytics, binaries):
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "METRICS.md")) as file:
        metrics = file.read()
    for plugin in first_party(binaries):
        done = pganalytics("plugin", "describe", plugin, "--markdown")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"# {plugin}\n") and "\n## Configuration\n" in done.stdout
        fields = done.stdout.partition("\n## Documents\n")[2]
        assert len(fields) > 200 and fields in metrics, plugin


def test_list_shows_abi_and_state(pganalytics, binaries, folder):
    config = os.path.join(folder, "c.toml")
    with open(config, "w") as file:
        file.write(f'[collector]\nstate_dir = "{folder}/state"\n[plugins.sysstat]\n')
    listed = {plugin["id"]: plugin for plugin in json.loads(pganalytics("plugin", "list", "--json", "--config", config).stdout)}
    assert listed["sysstat"]["state"] == "enabled" and listed["disk"]["state"] == "available"
    assert all(re.fullmatch(r"1\.\d+", plugin["abi"]) and plugin["version"] is None for plugin in listed.values())


def test_run_shows_documents_and_what_they_cost(pganalytics, binaries):
    done = pganalytics("plugin", "run", "sysstat", "--every", "200ms", "--count", "3")
    assert done.returncode == 0, done.stderr
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(documents) == 3 and all(document["type"] == "sysstat" for document in documents)
    runs = re.findall(r"(?m)^run (\d): 1 document; \d+ ms, RSS \d+\.\d MiB, peak \d+\.\d MiB$", done.stderr)
    assert runs == ["1", "2", "3"], done.stderr


def test_run_keeps_state_between_runs_and_nothing_after(pganalytics, binaries, folder):
    file = os.path.join(binaries, "tests", "plugins", "test_serial.so")
    for _ in range(2):
        done = pganalytics("plugin", "run", file, "--count", "2")
        assert done.returncode == 0, done.stderr
        serials = [json.loads(line)["serial"] for line in done.stdout.splitlines()]
        assert serials == list(range(1, len(serials) + 1)) and len(serials) >= 4, serials


def test_run_shows_what_breaks_the_schema(pganalytics, binaries):
    file = os.path.join(binaries, "tests", "core", "host", "plugins", "test_unruly.so")
    if not os.path.exists(file):
        pytest.skip("the host's test plugins are not built")
    done = pganalytics("plugin", "run", file, "--set", "do=bad schema", "--count", "2")
    assert done.returncode == 1
    assert done.stdout == ""
    refused = [line for line in done.stderr.splitlines() if line.startswith("refused: ")]
    assert len(refused) == 2 and "count" in refused[0] and "integer" in refused[0], done.stderr
    assert '"count":"many"' in done.stderr and "run 1: failed: " in done.stderr and "run 2: failed: " in done.stderr

    crashed = pganalytics("plugin", "run", file, "--set", "do='segv'")
    assert crashed.returncode == 1 and "run 1: failed: " in crashed.stderr and "Segmentation fault" in crashed.stderr
    late = pganalytics("plugin", "run", file, "--set", "do='wait'", "--timeout", "300ms")
    assert late.returncode == 1 and "run 1: failed: " in late.stderr


def test_run_takes_the_table_of_a_configuration(pganalytics, binaries, folder):
    config = os.path.join(folder, "c.toml")
    with open(config, "w") as file:
        file.write('[collector]\nname = "x"\n[plugins.disk]\nexclude_mount_points = ["*"]\n')
    done = pganalytics("plugin", "run", "disk", "--config", config, "--pretty")
    assert done.returncode == 0 and done.stdout.startswith('{\n  "type": "disk"'), done.stderr
    wrong = pganalytics("plugin", "run", "disk", "--config", config, "--set", "mount_timeout_ms=1")
    assert wrong.returncode == 2 and "mount_timeout_ms" in wrong.stderr and wrong.stdout == ""


@pytest.mark.parametrize("arguments, told", [
    (("run",), "which plugin"), (("run", "nosuchplugin"), "no plugin"), (("run", "/nonexistent.so"), "nonexistent"),
    (("run", "disk", "--every", "5"), "--every"), (("run", "disk", "--count", "0"), "--count"), (("run", "disk", "--set", "x"), "KEY=VALUE"),
    (("run", "disk", "--set", "interval=5s"), "own keys"), (("run", "disk", "--set", "banana=1"), "banana"),
    (("run", "disk", "--config", "/nonexistent.toml"), "/nonexistent.toml")])
def test_run_says_what_is_wrong(pganalytics, arguments, told):
    done = pganalytics("plugin", *arguments)
    assert done.returncode in (1, 2) and done.stdout == ""
    assert told in done.stderr and "HINT" in done.stderr, done.stderr


def test_run_refuses_a_file_that_others_can_write(pganalytics, binaries, folder):
    file = os.path.join(folder, "sysstat.so")
    shutil.copy(os.path.join(binaries, "lib", "pganalytics", "plugins", "sysstat.so"), file)
    os.chmod(file, 0o666)
    done = pganalytics("plugin", "run", file)
    assert done.returncode == 1 and "written by others" in done.stderr and "HINT" in done.stderr
    os.chmod(file, 0o644)
    assert pganalytics("plugin", "run", file).returncode == 0


def test_ctrl_c_ends_a_run_in_order(binaries, folder):
    out = os.path.join(folder, "out")
    with open(out, "w") as stdout:
        process = subprocess.Popen([os.path.join(binaries, "bin", "pganalytics"), "plugin", "run", "sysstat", "--every", "100ms"],
                                   stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: open(out).read().count("\n") >= 3, 30, "three documents")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0, process.stderr.read()
    finally:
        if process.poll() is None:
            process.kill()
        process.stderr.close()
        process.wait()
    assert all(json.loads(line)["type"] == "sysstat" for line in open(out))
