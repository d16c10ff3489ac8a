"""What pganalytics run writes to its log, as programs read it."""

import json
import signal

from harness.wait import eventually

PLUGINS = """
[plugins.test_serial]
interval = "200ms"
"""
JSON = 'output = "/dev/null"\nlog_format = "json"'


def hang_up(collector, config, told):
    collector.write_config(PLUGINS, config)
    collector.process.send_signal(signal.SIGHUP)
    eventually(lambda: told in collector.log(), 30, told)


def test_each_line_is_an_object_until_the_format_changes(make_collector):
    collector = make_collector(PLUGINS, collector_config=JSON)
    collector.start()
    eventually(lambda: collector.log().count("\n") > 0, 30, "it says something")
    hang_up(collector, JSON + '\nlog_levle = "warn"', "log_levle")
    objects = [json.loads(line) for line in collector.log().splitlines()]
    assert all({"time", "level", "message"} <= set(line) <= {"time", "level", "message", "hint"} for line in objects)
    mistake = next(line for line in objects if "log_levle" in line["message"])
    assert mistake["level"] in ("ERROR", "WARN") and "log_level" in mistake["hint"], "the nearest key is in the hint"
    hang_up(collector, 'output = "/dev/null"', " INFO  ")
    collector.stop()


def test_commands_speak_to_people(make_collector):
    collector = make_collector(PLUGINS, collector_config=JSON + '\nlog_levle = "warn"')
    done = collector.command("check-config")
    assert done.returncode == 2 and "\nHINT: " in done.stderr and not done.stderr.startswith("{")
