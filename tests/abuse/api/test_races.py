"""Many at once: what may happen once happens once, what was forbidden stays so, and the audit log stays one chain."""

import subprocess
import threading
import uuid

import pytest

from harness.wait import eventually
from site_of_abuse import DOCUMENT, csr_of, in_parallel, new_key, pem_of
from wire import request_bytes


def enrol(site, token, csr, enrollment_id=None):
    body = {"name": "racer", "hostname": "racer.example", "csr": csr, **({"enrollment_id": enrollment_id} if enrollment_id else {})}
    return site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token)], body)


def racers(site):
    return int(site.sql("select count(*) from pganalytics.collectors where name = 'racer'"))


@pytest.mark.parametrize("uses", [1, 2, 10])
def test_a_token_is_good_for_its_uses(site, uses):
    """100 at once with their own keys: exactly as many identities as the token has uses."""
    token, before = site.registration_token(uses=uses), racers(site)
    csrs = [csr_of(new_key()) for _ in range(100)]
    answers = in_parallel(100, lambda i: enrol(site, token, csrs[i]))
    assert sorted({answer.status for answer in answers}) == [201, 401]
    assert len({answer.json["id"] for answer in answers if answer.status == 201}) == uses
    assert racers(site) == before + uses


def test_the_simple_form_too(site):
    token, before = site.registration_token(), racers(site)
    body = {"name": "racer", "hostname": "racer.example"}
    answers = in_parallel(50, lambda _: site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token)], body))
    assert sum(answer.status == 201 for answer in answers) == 1 and racers(site) == before + 1


def test_one_enrolment_sent_many_times_is_one_collector(site):
    token, csr, enrollment_id, before = site.registration_token(), csr_of(new_key()), str(uuid.uuid4()), racers(site)
    answers = in_parallel(50, lambda _: enrol(site, token, csr, enrollment_id))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1 and racers(site) == before + 1


def test_one_enrollment_id_with_two_keys_is_one_collector(site):
    token, enrollment_id, before = site.registration_token(), str(uuid.uuid4()), racers(site)
    csrs = [csr_of(new_key()) for _ in range(2)]
    answers = in_parallel(40, lambda i: enrol(site, token, csrs[i % 2], enrollment_id))
    assert len({answer.json["id"] for answer in answers if answer.status == 201}) == 1 and racers(site) == before + 1


def test_one_enrollment_id_with_two_tokens_is_one_collector(site):
    tokens, csr, enrollment_id, before = [site.registration_token() for _ in range(2)], csr_of(new_key()), str(uuid.uuid4()), racers(site)
    in_parallel(40, lambda i: enrol(site, tokens[i % 2], csr, enrollment_id))
    assert racers(site) == before + 1


@pytest.mark.parametrize("round_", range(3))
def test_revoked_while_pushing(site, round_):
    """After the revocation's answer not one push more is stored, however many are on their way."""
    own = site.enrol(f"revoked{round_}")
    stored_after, unanswered = [], []

    def push(i):
        statuses = []
        while statuses.count(403) < 3:
            try:
                statuses.append(own.push({**DOCUMENT, "i": i}).status)
            except OSError:
                unanswered.append(i)  # the revocation ended its connection: perhaps before the answer to what was stored earlier
                statuses.append(403)
        return statuses

    def revoke(_):
        eventually(lambda: own.stored() >= 8, 60, "pushes are on their way")
        assert site.with_key("admin", "DELETE", f"/api/v1/collectors/{own.id}").status == 204
        stored_after.append(own.stored())
        return []

    results = in_parallel(9, lambda i: revoke(i) if i == 0 else push(i))
    statuses = {status for result in results for status in result}
    assert statuses <= {200, 403} and 200 in statuses and 403 in statuses
    assert own.stored() == stored_after[0]
    taken = sum(status == 200 for result in results for status in result)
    assert taken <= own.stored() <= taken + len(unanswered)


def test_revoked_many_times_at_once(site):
    own = site.enrol("revoked")
    assert {answer.status for answer in in_parallel(30, lambda _: site.with_key("admin", "DELETE", f"/api/v1/collectors/{own.id}"))} == {204}
    assert own.push().status == 403


def test_configurations_put_at_once_get_versions_of_their_own(site):
    own = site.enrol("config")
    answers = in_parallel(40, lambda i: site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body={"retention_days": i + 1}))
    assert {answer.status for answer in answers} == {200}
    assert sorted(answer.json["version"] for answer in answers) == list(range(1, 41))
    newest = next(answer.json for answer in answers if answer.json["version"] == 40)
    assert own.ask("GET", f"/api/v1/config/{own.id}").json["retention_days"] == newest["retention_days"]


def test_of_many_edits_of_one_version_one_is_stored(site):
    own = site.enrol("edited")
    assert site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body={"retention_days": 1}).json["version"] == 1
    answers = in_parallel(20, lambda i: site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body={"version": 1, "retention_days": i + 2}))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    stored = next(answer.json for answer in answers if answer.status == 200)
    assert own.ask("GET", f"/api/v1/config/{own.id}").json == stored and stored["version"] == 2


def test_an_edit_from_the_command_line_is_held_to_its_version_too(site):
    own = site.enrol("command")
    assert site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body={"retention_days": 1}).json["version"] == 1

    def put(version):
        file = site.save("edited.json", f'{{"version": {version}, "retention_days": 9}}')
        return subprocess.run([site.server.binary, "config", "put", own.id, file, "--config", site.server.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=90, stdin=subprocess.DEVNULL)

    stale = put(0)
    assert stale.returncode == 1 and "has version 1" in stale.stderr, stale
    assert put(1).returncode == 0
    assert own.ask("GET", f"/api/v1/config/{own.id}").json["version"] == 2
    assert [(row["actor"], row["detail"]["version"]) for row in site.audit("config.put") if row["subject"] == own.id][1] == ("command line", 2)


def test_configurations_put_while_it_is_read_are_whole(site):
    own = site.enrol("reader")
    answers = in_parallel(24, lambda i: own.ask("GET", f"/api/v1/config/{own.id}") if i % 2 else site.with_key(
        "admin", "PUT", f"/api/v1/config/{own.id}", body={"retention_days": 5, "intervals": {"pg_stats": "5s"}}))
    for answer in answers:
        assert answer.status == 200
        assert (answer.json["retention_days"], answer.json["intervals"]) in ((30, {}), (5, {"pg_stats": "5s"}))


@pytest.mark.parametrize("contents", [1, 2, 8])
def test_one_key_with_several_contents(site, contents):
    """One of them wins, the others are told so; what is stored is the winner's."""
    own, epoch = site.enrol("keys"), uuid.uuid4().hex
    bodies = [{"epoch": epoch, "seq": 1, "metrics": [{**DOCUMENT, "value": i}] * (i + 1)} for i in range(contents)]
    answers = in_parallel(32, lambda i: own.push(bodies[i % contents], [("Idempotency-Key", f"{epoch}.1")]))
    assert {answer.status for answer in answers} <= {200, 409, 422}
    winners = [i % contents for i, answer in enumerate(answers) if answer.status == 200]
    assert len(set(winners)) == 1 and sum(not answer.json["duplicate"] for answer in answers if answer.status == 200) == 1
    assert own.stored() == winners[0] + 1


def test_many_keys_of_one_collector(site):
    own, epoch = site.enrol("many"), uuid.uuid4().hex
    answers = in_parallel(32, lambda i: [own.push({"epoch": epoch, "seq": seq, "metrics": [DOCUMENT]}, [("Idempotency-Key", f"{epoch}.{seq}")])
                                         for seq in range(1 + i % 4, 20, 4)])
    assert {answer.status for group in answers for answer in group} <= {200, 409}
    assert own.stored() == 19


def test_tokens_asked_for_at_once_are_all_good(site):
    own = site.enrol("tokens")
    answers = in_parallel(30, lambda _: site.ask("POST", f"/api/v1/collectors/{own.id}/token", certificate=own.certificate))
    tokens = {site.secret(answer.json["token"]) for answer in answers}
    assert len(tokens) == 30
    for token in list(tokens)[:5]:
        assert site.ask("GET", f"/api/v1/config/{own.id}", [("Authorization", "Bearer " + token)], certificate=own.certificate).status == 200


def test_certificates_asked_for_at_once(site):
    own = site.enrol("certificates")
    keys = [new_key() for _ in range(20)]
    csrs = [csr_of(key) for key in keys]
    answers = in_parallel(20, lambda i: own.ask("POST", f"/api/v1/collectors/{own.id}/certificate", body={"csr": csrs[i]}))
    assert {answer.status for answer in answers} == {200}
    for i, answer in enumerate(answers):
        site.save(f"race{i}.crt", answer.json["cert"])
        site.save(f"race{i}.key", pem_of(keys[i]))

    def use(i):
        return site.ask("POST", f"/api/v1/collectors/{own.id}/token", certificate=(f"{site.folder}/race{i}.crt", f"{site.folder}/race{i}.key")).status

    in_parallel(20, use)
    assert sorted(use(i) for i in range(20)) == [200] + [403] * 19, "one is in force, the one that was used first"
    assert own.push().status == 403
    assert site.sql("select count(*) from pganalytics.certificates where first_used_at is not null and superseded_at is null"
                    f" and collector_id = '{own.id}'") == "1"


def test_status_reports_at_once(site):
    own = site.enrol("statuses")
    site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body={})
    states = ["applied", "probation", "rejected", "reverted"]
    answers = in_parallel(20, lambda i: own.ask("POST", f"/api/v1/config/{own.id}/status", body={"version": 1, "state": states[i % 4]}))
    assert {answer.status for answer in answers} == {204}


def test_revoked_while_enrolling_others(site):
    victims, token = site.enrol_many(5), site.registration_token(uses=20)

    def work(i):
        if i < 5:
            return site.with_key("admin", "DELETE", f"/api/v1/collectors/{victims[i].id}").status
        return enrol(site, token, csr_of(new_key())).status

    assert in_parallel(20, work) == [204] * 5 + [201] * 15


def test_pages_stay_stable_while_data_arrives(site):
    own = site.enrol("pages")
    for i in range(30):
        assert own.push({**DOCUMENT, "timestamp": f"2026-01-02T03:04:{i:02}Z", "i": i}).status == 200
    stop = threading.Event()

    def write():
        while not stop.is_set():
            own.push({**DOCUMENT, "timestamp": "2026-01-02T03:04:15Z", "i": -1})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            seen, cursor = [], ""
            while True:
                page = site.with_key("viewer", "GET", f"/api/v1/servers/{own.id}/metrics?limit=7" + cursor).json
                seen += [row["document"]["i"] for row in page["metrics"]]
                if "next_cursor" not in page:
                    break
                cursor = "&cursor=" + page["next_cursor"]
            assert [i for i in seen if i >= 0] == list(range(29, -1, -1))
    finally:
        stop.set()
        writer.join()


def test_connections_cut_while_they_are_answered(site):
    """Clients that hang up in the middle leave nothing half done."""
    own, epoch = site.enrol("cut"), uuid.uuid4().hex
    def cut(i):
        data = request_bytes("POST", "/api/v1/metrics/push", [own.bearer, ("Idempotency-Key", f"{epoch}.{i + 1}")], {"epoch": epoch, "seq": i + 1, "metrics": [DOCUMENT]})
        with site.connect(own.certificate) as connection:
            connection.send(data[: len(data) - (i % 7) * 20] if i % 7 else data)
        return i

    in_parallel(40, cut)
    eventually(lambda: own.stored() == len([i for i in range(40) if i % 7 == 0]), 60, "what was sent whole is stored")
    for seq in range(1, 41):  # the repetition finds each either stored whole or not at all
        assert own.push({"epoch": epoch, "seq": seq, "metrics": [DOCUMENT]}, [("Idempotency-Key", f"{epoch}.{seq}")]).status == 200
    assert own.stored() == 40


def test_audit_chain_is_whole_after_all_this(site):
    verdict = site.server.cli("audit", "verify")
    assert verdict["intact"] is True and verdict["rows"] > 100, verdict
    assert site.server.cli("audit", "verify", "--head", verdict["head"])["intact"] is True
