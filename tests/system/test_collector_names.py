"""On the command line a collector is meant by its id, the beginning of it, or its name."""

import json


def enrol(server, name):
    token = server.cli("token", "create")["token"]
    answer = server.request("POST", "/api/v1/collectors/register", {"name": name, "hostname": name}, {"X-Registration-Secret": token})
    assert answer.status == 201
    return answer.json["id"]


def test_a_collector_is_meant_by_name_and_by_the_beginning_of_its_id(server, tmp_path):
    first, second = enrol(server, "db1"), enrol(server, "db2")
    document = tmp_path / "config.json"
    document.write_text(json.dumps({"retention_days": 7}))
    document.chmod(0o644)
    assert server.cli("config", "put", "db1", str(document))["version"] == 1
    assert server.cli("config", "get", first[:13])["retention_days"] == 7
    assert server.cli("config", "get", "db2")["version"] == 0
    assert server.cli("collector", "revoke", "db2") == {"id": second, "revoked": True}
