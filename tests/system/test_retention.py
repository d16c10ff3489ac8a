"""What a running server forgets by itself: documents by their collector's retention_days, days that are over for everybody whole."""

from harness.server import Server
from harness.wait import eventually

TODAY = "(now() at time zone 'UTC')::date"


def test_housekeeping_forgets_what_each_collector_keeps_no_longer(binaries, folder, postgres):
    postgres.sql("create database pganalytics")
    server = Server(binaries, folder, f'[database]\nurl = "{postgres.conninfo("pganalytics")}"\n')

    def sql(statement):
        return postgres.sql(statement, "pganalytics")

    def enrol(name, retention_days):
        token = server.cli("token", "create")["token"]
        id = server.request("POST", "/api/v1/collectors/register", {"name": name, "hostname": name}, {"X-Registration-Secret": token}).json["id"]
        assert server.request("PUT", f"/api/v1/config/{id}", {"retention_days": retention_days}, role="admin").status == 200
        return id

    def kept(id):
        return sorted(row["document"]["days"] for row in server.metrics(id))

    server.start()
    try:
        brief, lasting = enrol("brief", 1), enrol("lasting", 90)
        server.stop()
        sql(f"select pganalytics.add_document_partition({TODAY} - 101, {TODAY} - 91)")
        for id in (brief, lasting):
            sql("insert into pganalytics.documents (collector_id, type, ts, received_at, epoch, seq, index, document) "
                f"select '{id}', 'disk', now(), now() - d * interval '1 day', '', d, 0, json_build_object('days', d) from unnest(array[0, 3, 60, 95]) d")
        server.start()  # housekeeping is due at once
        eventually(lambda: kept(brief) == [0] and kept(lasting) == [0, 3, 60], 60, "each keeps what it should")
        assert sql("select count(*) from pganalytics.document_partitions where until <= now()::date - 90") == "0", "the old partition was dropped"
        assert "dropped documents_until_" in server.log()
    finally:
        server.close()
