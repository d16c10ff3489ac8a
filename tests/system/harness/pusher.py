"""A client that keeps to the push protocol (docs/DELIVERY.md): the same batch under the same key until it is acknowledged, then the next. And what must
be in the database for it: every acknowledged number once, as a document, as a point and as an event."""

import hashlib
import http.client
import json
import os
import ssl
import threading
import time
import uuid

PLUGIN = "acme_faults"
SCHEMA = json.dumps({"type": "object", "properties": {
    "type": {"type": "string", "x-kind": "info"}, "timestamp": {"type": "string", "format": "date-time"},
    "serial": {"type": "integer", "x-kind": "gauge", "x-unit": "1"},
    "errors": {"type": "array", "items": {"type": "object", "properties": {
        "scope": {"type": "string", "x-kind": "label"}, "message": {"type": "string", "x-kind": "info"}}}}}})
DIGEST = hashlib.sha256(SCHEMA.encode()).hexdigest()


class Pusher:
    """One collector with one number after the other, in a thread of its own. `servers`: whom it asks; after an answer that is none, or a 503, the next."""

    def __init__(self, servers, name="pusher", age_s=0):
        """age_s: how old its documents are."""
        self.servers, self.turn, self.age_s = list(servers), 0, age_s
        first = self.servers[0]
        token = first.cli("token", "create", "--ttl", "10m")["token"]
        answer = first.request("POST", "/api/v1/collectors/register", {"name": name, "hostname": name}, {"X-Registration-Secret": token})
        assert answer.status == 201, answer.text
        self.id, self.token, self.epoch = answer.json["id"], answer.json["token"], uuid.uuid4().hex
        self.certificate = self._save(first, answer.json)
        self.acknowledged = 0  # the newest number that was
        self.answers = []      # (status, seconds, Retry-After), in their order; 0: no answer
        self._stop, self._failure, self._connection = threading.Event(), None, None
        answer = self.ask(first, "PUT", f"/api/v1/schemas/{DIGEST}?type={PLUGIN}", SCHEMA)
        assert answer.status == 200, answer.text
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _save(self, server, identity):
        paths = [os.path.join(server.folder, f"{self.id}.{kind}") for kind in ("cert", "key")]
        for path, text in zip(paths, (identity["cert"], identity["key"])):
            with open(path, "w") as file:
                file.write(text)
        return tuple(paths)

    def ask(self, server, method, path, body=None, headers=None, timeout=30):
        """One request of this collector on a connection of its own."""
        bearer = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        return server.request(method, path, body, {**bearer, **(headers or {})}, certificate=self.certificate, timeout=timeout)

    def start(self):
        self._thread.start()
        return self

    def finish(self, timeout=60):
        """No new number from here on; the one that is under way is brought to its end."""
        self._stop.set()
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"number {self.acknowledged + 1} was not acknowledged; the last answers: {self.answers[-5:]}"
        if self._failure:
            raise self._failure

    def statuses(self, since=0):
        return {status for status, _, _ in self.answers[since:]}

    def _body(self, seq):
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - self.age_s))
        document = {"type": PLUGIN, "timestamp": now, "serial": seq, "errors": [{"scope": "number", "message": str(seq)}]}
        return json.dumps({"collector_id": self.id, "epoch": self.epoch, "seq": seq, "schemas": {PLUGIN: DIGEST}, "metrics": [document]})

    def _run(self):
        try:
            while not self._stop.is_set():
                self._deliver(self._body(self.acknowledged + 1))
                self.acknowledged += 1
        except Exception as failure:  # told by finish()
            self._failure = failure

    def _deliver(self, body):
        """Returns when it is acknowledged."""
        key = f"{self.epoch}.{self.acknowledged + 1}"
        while True:
            begun = time.monotonic()
            status, retry_after, text = self._push(self.servers[self.turn % len(self.servers)], key, body)
            self.answers.append((status, time.monotonic() - begun, retry_after))
            if status == 200:
                assert json.loads(text)["ack"] == key and json.loads(text)["rejected"] == [], text
                return
            assert status in (0, 409, 503), f"{key}: {status} {text}"
            if status in (0, 503):
                self.turn += 1
            time.sleep(float(retry_after or 0.1))  # what the protocol asks for

    def _push(self, server, key, body):
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json", "Idempotency-Key": key}
        try:
            if self._connection is None or self._connection[0] is not server:
                context = ssl.create_default_context(cafile=server.ca_file)
                context.load_cert_chain(*self.certificate)
                self._connection = server, http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=60)
            self._connection[1].request("POST", "/api/v1/metrics/push", body, headers)
            answer = self._connection[1].getresponse()
            return answer.status, answer.headers.get("Retry-After"), answer.read().decode()
        except (OSError, http.client.HTTPException):
            if self._connection:
                self._connection[1].close()
            self._connection = None
            return 0, None, ""


VIEWS = {"documents": "select (document ->> 'serial')::bigint as serial from pganalytics.documents where collector_id = '{id}'",
         "points": f"select serial::bigint from metrics.{PLUGIN} where collector_id = '{{id}}'",
         "events": f"select (event ->> 'message')::bigint as serial from metrics.{PLUGIN}_errors where collector_id = '{{id}}'"}


def check_stored_once(pushers, sql):
    """sql(statement) -> text. What was acknowledged is there, each number once, and nothing else is."""
    for pusher in pushers:
        assert pusher.acknowledged > 0, "nothing was pushed"
        for what, rows in VIEWS.items():
            found = sql(f"select count(*), count(distinct serial), min(serial), max(serial) from ({rows.format(id=pusher.id)}) of_pusher")
            wanted = f"{pusher.acknowledged}|{pusher.acknowledged}|1|{pusher.acknowledged}"
            assert found == wanted, f"{what} of {pusher.id}: {found}, acknowledged: {wanted}"


def check_refused_politely(pushers, most_s, unanswered=False):
    """Nothing but 200, 503 with Retry-After, 409 while the same batch is still at work; and none took longer than that. unanswered: a server died."""
    for pusher in pushers:
        for status, seconds, retry_after in pusher.answers:
            assert status in (200, 409, 503) or unanswered and status == 0, f"{status} after {seconds:.1f} s"
            assert status in (0, 200) or int(retry_after) >= 1, f"{status} without Retry-After"
            assert seconds <= most_s, f"{status} came after {seconds:.1f} s"
