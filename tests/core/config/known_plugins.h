// Two plugins as configuration knows them, with every kind of key that matters to it.
#pragma once

#include "core/config/plugin_config.h"
#include "tests/support/catch.h"

namespace pganalytics::config_test {

inline config::KnownPlugin known_plugin(const std::string& id, const char* config_schema) {
  auto schema = schema::Schema::parse(config_schema, schema::Schema::Purpose::kConfig);
  INFO((schema ? "" : schema.error().message));
  REQUIRE(schema);
  config::KnownPlugin plugin;
  plugin.id = id;
  plugin.config_schema = std::make_shared<const schema::Schema>(std::move(schema).value());
  return plugin;
}

inline std::vector<config::KnownPlugin> known_plugins() {
  auto stats = known_plugin("pg_stats", R"({"type": "object", "additionalProperties": false, "properties": {
      "conninfo": {"type": "string", "format": "conninfo", "default": "dbname=postgres"},
      "databases": {"type": "array", "items": {"type": "string"}, "default": ["*"]},
      "listens": {"type": "string", "format": "host-port", "default": "localhost:5432"},
      "tables_max": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
      "password": {"type": "string", "x-secret": true},
      "nested": {"type": "object", "additionalProperties": false, "properties": {"file": {"$ref": "#/definitions/file"}}}},
      "definitions": {"file": {"type": "string", "format": "path-read"}}})");
  auto logs = known_plugin("logs", R"({"type": "object", "additionalProperties": false, "required": ["paths"], "properties": {
      "paths": {"type": "array", "items": {"type": "string", "format": "path-read"}},
      "severities": {"type": "array", "items": {"type": "string", "enum": ["ERROR", "FATAL", "PANIC"]}, "default": []}}})");
  logs.aliases = {"acme_logs"};
  return {std::move(stats), std::move(logs)};
}

}  // namespace pganalytics::config_test
