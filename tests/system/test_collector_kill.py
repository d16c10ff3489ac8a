"""The collector is killed with SIGKILL fifty times at random moments, while the server logs and rotates its log: every document that was sealed
arrives, and every log line, once."""

import os
import random
import time

from harness.oracle import check_no_holes, check_nothing_twice, check_serials
from harness.wait import eventually

KILLS = 50


def test_fifty_kills_lose_nothing_and_double_nothing(postgres, server, make_collector):
    seed = int(os.environ.get("PGANALYTICS_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}: set PGANALYTICS_TEST_SEED to repeat these moments")
    moments = random.Random(seed)
    collector = make_collector(
        f"""
[plugins.test_serial]
enabled = true
interval = "100ms"
timeout = "100ms"
[plugins.logs]
enabled = true
interval = "200ms"
timeout = "200ms"
paths = ["{postgres.log_dir}/*.log"]
start = "beginning"
redact = "none"
""",
        server=server,
    )
    collector.register()
    for kill in range(KILLS):
        postgres.sql(f"do $$ begin raise warning 'numbered line {kill}'; end $$")
        if kill % 3 == 2:
            postgres.sql("select pg_rotate_logfile()")
        collector.start()
        time.sleep(moments.uniform(0.05, 1.5))  # the moment of the kill: random on purpose
        collector.kill()

    postgres.sql(f"do $$ begin raise warning 'numbered line {KILLS}'; end $$")
    collector.start()

    def lines():
        return [event["message"] for row in server.metrics(collector.id, "logs") for event in row["document"]["events"] if "numbered line" in event["message"]]

    def backlog_is_there():
        check_no_holes(server.metrics(collector.id))
        return True

    # The newest goes first; and who starts more often than the server gives tokens (six a minute) has a backlog.
    eventually(lambda: f"numbered line {KILLS}" in lines(), 120, f"the last log line, see {collector.log_path}")
    eventually(backlog_is_there, 120, f"every batch of the backlog, see {collector.log_path}")
    collector.stop()

    rows = server.metrics(collector.id)
    check_nothing_twice(rows)
    check_no_holes(rows)
    assert check_serials([row for row in rows if row["type"] == "test_serial"]) > KILLS
    assert sorted(lines(), key=lambda text: int(text.rsplit(" ", 1)[1])) == [f"numbered line {n}" for n in range(KILLS + 1)]
