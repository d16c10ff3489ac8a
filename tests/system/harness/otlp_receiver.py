"""A small OTLP/HTTP receiver that takes JSON only if it is what the protocol's JSON mapping allows.

There is no OpenTelemetry collector in Debian. This one checks what the published definitions say (opentelemetry-proto,
metrics.proto, logs.proto, common.proto): known members only, 64-bit integers as decimal texts, enums as numbers, one kind of data a
metric."""

import http.server
import json
import threading


class Wrong(Exception):
    pass


def members(where, value, required, optional=()):
    if not isinstance(value, dict):
        raise Wrong(f"{where} is no object")
    if unknown := set(value) - set(required) - set(optional):
        raise Wrong(f"{where} has unknown members {sorted(unknown)}")
    if missing := set(required) - set(value):
        raise Wrong(f"{where} lacks {sorted(missing)}")


def fixed64(where, value):
    if not isinstance(value, str) or not value.isdigit() or int(value) >= 1 << 64:
        raise Wrong(f"{where} is no 64-bit integer as a text: {value!r}")


def any_value(where, value):
    members(where, value, (), ("stringValue", "boolValue", "intValue", "doubleValue"))
    if len(value) != 1:
        raise Wrong(f"{where} has {len(value)} values")
    [(kind, inner)] = value.items()
    if kind == "intValue":
        fixed64(where, inner.lstrip("-"))
    elif not isinstance(inner, {"stringValue": str, "boolValue": bool, "doubleValue": (int, float)}[kind]):
        raise Wrong(f"{where}: {kind} is {inner!r}")


def attributes(where, values):
    keys = set()
    for entry in values:
        members(where, entry, ("key", "value"))
        any_value(f"{where}.{entry['key']}", entry["value"])
        if not entry["key"] or entry["key"] in keys:
            raise Wrong(f"{where}: key {entry['key']!r} is empty or there twice")
        keys.add(entry["key"])
    return {entry["key"]: next(iter(entry["value"].values())) for entry in values}


def scopes(body, resources, scope_lists, items):
    members("request", body, (resources,))
    for resource in body[resources]:
        members(resources, resource, ("resource", scope_lists))
        members("resource", resource["resource"], ("attributes",))
        told = attributes("resource", resource["resource"]["attributes"])
        for scope in resource[scope_lists]:
            members(scope_lists, scope, ("scope", items))
            members("scope", scope["scope"], ("name",), ("version",))
            yield told, scope["scope"]["name"], scope[items]


def data_points(body):
    """[(name, unit, kind, attributes, nanoseconds, value)]"""
    found = []
    for _, _, metrics in scopes(body, "resourceMetrics", "scopeMetrics", "metrics"):
        for metric in metrics:
            members("metric", metric, ("name", "unit"), ("description", "gauge", "sum"))
            kinds = [kind for kind in ("gauge", "sum") if kind in metric]
            if len(kinds) != 1:
                raise Wrong(f"metric {metric['name']} has data {kinds}")
            data = metric[kinds[0]]
            members(metric["name"], data, ("dataPoints",) if kinds == ["gauge"] else ("dataPoints", "aggregationTemporality", "isMonotonic"))
            if kinds == ["sum"] and (data["aggregationTemporality"] != 2 or not isinstance(data["isMonotonic"], bool)):
                raise Wrong(f"{metric['name']} is no cumulative sum")
            kind = kinds[0] if kinds == ["gauge"] else "counter" if data["isMonotonic"] else "updown"
            if not data["dataPoints"]:
                raise Wrong(f"{metric['name']} has no points")
            for point in data["dataPoints"]:
                members(metric["name"], point, ("attributes", "timeUnixNano", "asDouble"))
                fixed64("timeUnixNano", point["timeUnixNano"])
                if not isinstance(point["asDouble"], (int, float)) or isinstance(point["asDouble"], bool):
                    raise Wrong(f"{metric['name']}: asDouble is {point['asDouble']!r}")
                found.append((metric["name"], metric["unit"], kind, attributes(metric["name"], point["attributes"]), int(point["timeUnixNano"]), point["asDouble"]))
    return found


def log_records(body):
    """[(severity, text, attributes)]"""
    found = []
    for _, _, records in scopes(body, "resourceLogs", "scopeLogs", "logRecords"):
        for record in records:
            members("logRecord", record, ("timeUnixNano", "observedTimeUnixNano", "body", "attributes"), ("severityNumber", "severityText"))
            fixed64("timeUnixNano", record["timeUnixNano"])
            fixed64("observedTimeUnixNano", record["observedTimeUnixNano"])
            any_value("body", record["body"])
            if not 0 <= record.get("severityNumber", 0) <= 24:
                raise Wrong(f"severityNumber is {record['severityNumber']!r}")
            found.append((record.get("severityText"), record["body"]["stringValue"], attributes("logRecord", record["attributes"])))
    return found


class Receiver:
    """Listens on a port of 127.0.0.1. `points` and `records`: what came; `wrong`: what was refused; while `down` it answers 503."""

    def __init__(self):
        self.points, self.records, self.wrong, self.down = [], [], [], False
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                status, answer = receiver.take(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        if self.down:
            return 503, b"{}"
        try:
            if headers["Content-Type"] != "application/json":
                raise Wrong(f"Content-Type is {headers['Content-Type']}")
            parsed = json.loads(body)
            if path == "/v1/metrics":
                self.points += data_points(parsed)
            elif path == "/v1/logs":
                self.records += log_records(parsed)
            else:
                return 404, b"{}"
            return 200, b"{}"
        except (Wrong, ValueError, KeyError, TypeError) as error:
            self.wrong.append(f"{path}: {error!r}")
            return 400, json.dumps({"code": 3, "message": str(error)}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
