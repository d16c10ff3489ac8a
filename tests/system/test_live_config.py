"""Configuration put on the server reaches the running collector and is applied without a restart."""

from harness.wait import eventually

PLUGINS = '[plugins.test_serial]\nenabled = true\ninterval = "1h"\n[plugins.sysstat]\nenabled = true\ninterval = "1s"\n'


def test_a_new_interval_applies_within_one_pull(server, make_collector):
    collector = make_collector(PLUGINS, server=server, collector_config='config_pull_interval = "2s"')
    collector.register()
    collector.start()

    def count(type):
        return len(server.metrics(collector.id, type))

    eventually(lambda: count("test_serial") == 3, 30, "the first run of an hour")
    pid = collector.worker_pid("test_serial")
    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"intervals": {"test_serial": "1s"}}, role="admin")
    assert answer.status == 200, answer.text
    eventually(lambda: count("test_serial") >= 9, 30, "runs at the new interval")
    assert collector.worker_pid("test_serial") == pid, "the worker was not restarted for it"
    collector.stop()


def test_a_plugin_is_switched_off_and_on_by_its_alias(server, make_collector):
    collector = make_collector(PLUGINS.replace('"1h"', '"500ms"') + '[plugins.disk]\nenabled = true\ninterval = "500ms"\n', server=server,
                               collector_config='config_pull_interval = "1s"')
    collector.register()
    collector.start()
    eventually(lambda: server.metrics(collector.id, "disk"), 30, "disk delivers")

    def put(document):
        answer = server.request("PUT", f"/api/v1/config/{collector.id}", document, role="admin")
        assert answer.status == 200, answer.text

    put({"enabled_collectors": ["sysstat"]})
    eventually(lambda: collector.worker_pid("disk") is None and collector.worker_pid("sysstat"), 30, "disk's worker ends")
    put({"enabled_collectors": ["sysstat", "disk_usage"]})
    eventually(lambda: collector.worker_pid("disk"), 30, "disk's worker is back")
    collector.stop()


def test_log_filters_choose_severities_and_classes(postgres, server, make_collector):
    collector = make_collector(f'[plugins.logs]\nenabled = true\ninterval = "500ms"\npaths = ["{postgres.log_dir}/*.log"]\nstart = "beginning"\n', server=server,
                               collector_config='config_pull_interval = "1s"')
    collector.register()

    def severities():
        return [event["severity"] for row in server.metrics(collector.id, "logs") for event in row["document"]["events"]]

    def provoke(number):
        postgres.sql(f"do $$ begin raise warning 'warning {number}'; end $$")
        postgres.sql(f"select 'error {number}'::int", check=False)

    provoke(1)
    collector.start()
    eventually(lambda: {"WARNING", "ERROR"} <= set(severities()), 30, "both severities arrive while nobody filters")
    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"log_filters": ["ERROR"]}, role="admin")
    assert answer.status == 200, answer.text
    eventually(lambda: "version 1 applied" in collector.log(), 30, f"the configuration is applied, see {collector.log_path}")
    provoke(2)
    eventually(lambda: severities().count("ERROR") == 2, 30, "the second error arrives")
    assert severities().count("WARNING") == 1

    def messages():
        return [event["message"] for row in server.metrics(collector.id, "logs") for event in row["document"]["events"]]

    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"log_filters": ["ERROR", "query.*", "!query.invalid_text"]}, role="admin")
    assert answer.status == 200, answer.text
    eventually(lambda: "version 2 applied" in collector.log(), 30, f"classes are filtered, see {collector.log_path}")
    provoke(3)  # an error of a class that is not wanted
    postgres.sql("select 1/0", check=False)
    eventually(lambda: "division by zero" in messages(), 30, "an error of a class that is wanted arrives")
    assert severities().count("ERROR") == 3
    counted = sum(row["entries"] for metrics in server.metrics(collector.id, "logs") for row in metrics["document"]["classes"]
                  if row["class"] == "query.invalid_text")
    assert counted == 3, "what is filtered is counted"
    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"log_filters": ["query.*", "newer.*", "!newest.class"]}, role="admin")
    assert answer.status == 200, answer.text
    eventually(lambda: "version 3 applied" in collector.log(), 30, f"classes that a newer version has are no error, see {collector.log_path}")
    eventually(lambda: "'newer.*' is no class" in collector.log() and "'newest.class' is no class" in collector.log(), 30, "they are told")
    postgres.sql("select 2/0", check=False)
    eventually(lambda: messages().count("division by zero") == 2, 30, "an error of the class that is known arrives")
    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"log_filters": ["Lock.*"]}, role="admin")
    assert answer.status == 400 and "log_filters[0]" in answer.text
    collector.stop()


def test_the_last_good_configuration_holds_when_the_server_is_away(server, make_collector):
    collector = make_collector(PLUGINS, server=server, collector_config='config_pull_interval = "1s"')
    collector.register()
    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"enabled_collectors": ["sysstat"]}, role="admin")
    assert answer.status == 200
    collector.start()
    eventually(lambda: collector.worker_pid("test_serial") is None and server.metrics(collector.id, "sysstat"), 30, "the remote configuration is in force")
    eventually(lambda: server.metrics(collector.id, "sysstat"), 30, "and delivers")
    collector.stop()
    server.stop()
    collector.start()
    eventually(lambda: collector.worker_pid("sysstat"), 30, "sysstat runs without the server")
    eventually(lambda: collector.worker_pid("test_serial") is None, 30, "and the other does not: at once, unless the disk is slow beyond measure")
    collector.stop()


def test_what_remote_may_not_set_is_refused_with_its_path(server, make_collector):
    collector = make_collector(PLUGINS, server=server)
    collector.register()
    for document, path in [({"intervalls": {}}, "intervalls"), ({"intervals": {"sysstat": "soon"}}, "intervals.sysstat"),
                           ({"intervals": {"no_such": "1s"}}, "intervals.no_such"), ({"plugins": {"pg_stats": {"conninfo": "host=evil"}}}, "plugins.pg_stats.conninfo"),
                           ({"plugins": {"logs": {"paths": ["/etc/shadow"]}}}, "plugins.logs.paths")]:
        answer = server.request("PUT", f"/api/v1/config/{collector.id}", document, role="admin")
        assert answer.status == 400 and path in answer.json["error"]["message"], answer.text
