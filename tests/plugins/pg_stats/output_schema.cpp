#include "tests/plugins/pg_stats/output_schema.h"

#include <pganalytics/json.hpp>
#include <regex>
#include <set>

namespace pganalytics::pg_stats {
namespace {

std::string quoted(const std::string& text) { return std::string(JsonWriter().value(text).text()); }

const char* type_of(const Column& column) {
  switch (column.type) {
    case Type::kInteger: return "integer";
    case Type::kNumber: return "number";
    case Type::kBoolean: return "boolean";
    case Type::kText:
    case Type::kTime: break;
  }
  return "string";
}

const char* kind_of(const Column& column) {
  switch (column.kind) {
    case Kind::kKey:
    case Kind::kLabel: return "label";
    case Kind::kInfo:
    case Kind::kEpoch: return "info";
    case Kind::kGauge: return "gauge";
    case Kind::kCounter: return "counter";
  }
  return "";
}

// The expression that the column is, with relations' names where the statement has their aliases. "": it says nothing alone, for
// it is the end of several lines, or of a query within the statement.
std::string source_of(const Family& family, const Column& column) {
  static const std::regex relation(R"((?:FROM|JOIN) (?:pg_catalog\.|"public"\.)?(\w+)(?:\([^)]*\))? AS (\w+))");
  std::string source = std::regex_replace(column.source, std::regex("pg_catalog\\."), "");
  std::set<std::string> told;
  // The statement itself comes last, after what it only names; an alias may mean something else there.
  for (auto line = family.lines.rbegin(); line != family.lines.rend(); ++line) {
    for (std::sregex_iterator each(line->sql.begin(), line->sql.end(), relation), end; each != end; ++each) {
      if (!told.insert((*each)[2]).second) continue;
      source = std::regex_replace(source, std::regex("\\b" + (*each)[2].str() + "\\."), (*each)[1].str() + ".");
    }
  }
  const bool is_part = std::regex_search(source, std::regex(R"(^(ELSE |\))|\b[a-z]\.)"));
  return is_part ? "" : source;
}

std::string member_of(const Family& family, const Column& column) {
  JsonWriter json;
  json.begin_object().key("type").begin_array().value(type_of(column)).value("null").end_array();
  if (column.type == Type::kTime) json.member("format", "date-time");
  json.member("x-kind", kind_of(column));
  if (std::string(kind_of(column)) == "label" && column.type == Type::kText) json.member("x-label", true);
  if (!column.unit.empty()) json.member("x-unit", column.unit);
  if (column.since > 14) json.member("x-since", std::to_string(column.since));
  json.member("description", column.description);
  if (const std::string source = source_of(family, column); !source.empty()) json.member("x-source", source);
  json.end_object();
  return std::string(json.text());
}

class Lines {
 public:
  void add(int depth, const std::string& text) { lines_.push_back(std::string(static_cast<std::size_t>(depth) * 2, ' ') + text); }
  // Ends the line before with a comma.
  void next() { lines_.back() += ','; }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  std::vector<std::string> lines_;
};

constexpr char kGrowth[] =
    R"("growth": {"type": "object", "additionalProperties": {"type": "number", "x-kind": "gauge", "x-unit": "1"}, "description": "By how much each counter has grown since the reading before; absent in the first one, and so is what has not grown."})";
constexpr char kTimestamp[] =
    R"("timestamp": {"type": "string", "format": "date-time", "x-kind": "info", "description": "When it was read."})";
constexpr char kSince[] =
    R"("since": {"type": ["string", "null"], "format": "date-time", "x-kind": "info", "description": "When it was read before: the time in which growth came about. null: it was not."})";

constexpr char kStatsReset[] =
    R"("stats_reset": {"type": ["string", "null"], "format": "date-time", "x-kind": "info", "description": "Since when the database's counters count, unless a row says otherwise: pg_stat_reset(), or a crash. null: since ever."})";

bool counts(const Family& family) {
  for (const Column& column : family.columns) {
    if (column.kind == Kind::kCounter) return true;
  }
  return false;
}

void add_columns(Lines& lines, int depth, const Family& family) {
  for (std::size_t i = 0; i < family.columns.size(); ++i) {
    if (i > 0) lines.next();
    lines.add(depth, quoted(family.columns[i].name) + ": " + member_of(family, family.columns[i]));
  }
  if (!counts(family)) return;
  lines.next();
  lines.add(depth, kGrowth);
}

void add_head(Lines& lines, int depth, const Family& family) {
  lines.add(depth, kTimestamp);
  lines.next();
  if (!counts(family)) return;
  lines.add(depth, kSince);
  lines.next();
  if (family.scope != Scope::kDatabase) return;
  lines.add(depth, kStatsReset);
  lines.next();
}

void add_family(Lines& lines, int depth, const Family& family) {
  lines.add(depth, quoted(family.name) + ": {");
  lines.add(depth + 1,
            "\"type\": \"object\", \"additionalProperties\": false, \"description\": " + quoted(family.description) + ",");
  const bool listed = family.extent == Extent::kAll || family.extent == Extent::kChanged;
  const std::string of_family = "\"x-family\": " + quoted("pg_" + family.name);
  if (!listed) lines.add(depth + 1, of_family + ",");
  lines.add(depth + 1, "\"properties\": {");
  add_head(lines, depth + 2, family);
  if (listed) {
    if (family.extent == Extent::kChanged) {
      lines.add(
          depth + 2,
          R"("snapshot": {"type": "string", "enum": ["full", "changed"], "x-kind": "info", "description": "changed: rows that are as they were in the reading before are not in it."},)");
      lines.add(
          depth + 2,
          R"("total": {"type": "integer", "x-kind": "gauge", "x-unit": "{row}", "description": "Rows that there are; in the last part of what takes several documents."},)");
    }
    lines.add(
        depth + 2,
        R"("omitted": {"type": "integer", "x-kind": "gauge", "x-unit": "{row}", "description": "Rows that a limit left out."},)");
    lines.add(depth + 2, "\"rows\": {\"type\": \"array\", " + of_family +
                             ", \"items\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {");
    add_columns(lines, depth + 3, family);
    lines.add(depth + 2, "}}}");
    lines.add(depth + 1, "},");
    lines.add(depth + 1, R"("required": ["timestamp", "rows"])");
  } else {
    add_columns(lines, depth + 2, family);
    lines.add(depth + 1, "},");
    std::string required = R"("required": ["timestamp")";
    for (const Column& column : family.columns) required += ", " + quoted(column.name);
    lines.add(depth + 1, required + "]");
  }
  lines.add(depth, "}");
}

void add_families(Lines& lines, int depth, const std::vector<Family>& families, bool in_database) {
  for (const Family& family : families) {
    if ((family.scope == Scope::kDatabase || family.extent == Extent::kOfDatabases) != in_database) continue;
    lines.next();
    add_family(lines, depth, family);
  }
}

}  // namespace

std::string output_schema_of(const std::vector<Family>& families) {
  Lines lines;
  lines.add(0, "{");
  lines.add(1, R"("type": "object",)");
  lines.add(1, R"("additionalProperties": false,)");
  lines.add(1, R"("title": "pg_stats: statistics of a PostgreSQL server and its databases",)");
  lines.add(1, R"("properties": {)");
  lines.add(2, R"("type": {"type": "string", "enum": ["pg_stats"], "x-kind": "info"},)");
  lines.add(
      2,
      R"("timestamp": {"type": "string", "format": "date-time", "x-kind": "info", "description": "Nominal time of the run."},)");
  lines.add(
      2,
      R"("instance": {"type": "string", "x-kind": "label", "x-label": true, "description": "Of the plugin: what stands behind the @ in the configuration; \"\" without one."})");
  add_families(lines, 2, families, false);
  lines.next();
  lines.add(2, R"("databases": {)");
  lines.add(3, R"("type": "array",)");
  lines.add(3, R"("description": "By document as many as fit. One that could not be read has an entry in errors.",)");
  lines.add(3, R"("items": {"type": "object", "additionalProperties": false, "properties": {)");
  lines.add(4, R"("name": {"type": "string", "x-kind": "label", "x-label": true, "description": "Name of the database."})");
  add_families(lines, 4, families, true);
  lines.add(3, R"(}, "required": ["name"]})");
  lines.add(2, "},");
  lines.add(2, R"("budget": {)");
  lines.add(3,
            R"("type": "object", "additionalProperties": false, "description": "What reading may cost the server, and does.",)");
  lines.add(3, R"("properties": {)");
  lines.add(4,
            R"("percent": {"type": "number", "x-kind": "gauge", "x-unit": "%", "description": "Of one core: budget_percent."},)");
  lines.add(
      4,
      R"("used_percent": {"type": "number", "x-kind": "gauge", "x-unit": "%", "description": "Of one core, over the last five minutes that were looked at."},)");
  lines.add(
      4,
      R"("stretch": {"type": "number", "x-kind": "gauge", "x-unit": "1", "description": "Intervals are as many times longer, to keep to the budget."})");
  lines.add(3, "},");
  lines.add(3, R"("required": ["percent", "used_percent", "stretch"])");
  lines.add(2, "},");
  lines.add(2, R"("readings": {)");
  lines.add(
      3,
      R"("type": "array", "x-family": "pg_reading", "description": "What the run has read, and what that cost; in the last document of a run.",)");
  lines.add(3, R"("items": {"type": "object", "additionalProperties": false, "properties": {)");
  lines.add(4, R"("family": {"type": "string", "x-kind": "label", "x-label": true, "description": "Name of the family."},)");
  lines.add(
      4,
      R"("state": {"type": "string", "enum": ["read", "failed", "off", "absent", "idle"], "x-kind": "info", "description": "read: in one place at least; failed: in none, see errors. In a run on demand also: off in the configuration; absent: this server has no such thing; idle: nothing to read."},)");
  lines.add(
      4,
      R"("places": {"type": "integer", "x-kind": "gauge", "x-unit": "1", "description": "In how many databases it was read; 1 for the server."},)");
  lines.add(
      4,
      R"("failures": {"type": "integer", "x-kind": "gauge", "x-unit": "1", "description": "In how many it could not be read: see errors."},)");
  lines.add(4, R"("rows": {"type": "integer", "x-kind": "gauge", "x-unit": "{row}", "description": "That the server sent."},)");
  lines.add(4, R"("sent": {"type": "integer", "x-kind": "gauge", "x-unit": "{row}", "description": "Of these, in documents."},)");
  lines.add(
      4,
      R"("omitted": {"type": "integer", "x-kind": "gauge", "x-unit": "{row}", "description": "Left out because of a limit."},)");
  lines.add(4, R"("bytes": {"type": "integer", "x-kind": "gauge", "x-unit": "By", "description": "That the server sent."},)");
  lines.add(
      4,
      R"("ms": {"type": "number", "x-kind": "gauge", "x-unit": "ms", "description": "From the question to the end of the answer: the server worked no longer than that."},)");
  lines.add(
      4,
      R"("server_ms": {"type": "number", "x-kind": "gauge", "x-unit": "ms", "description": "Planning and execution in one place, as EXPLAIN (ANALYZE, BUFFERS) said when it was last measured: each family once an hour."},)");
  lines.add(
      4,
      R"("blocks_hit": {"type": "integer", "x-kind": "gauge", "x-unit": "{block}", "description": "Blocks that this found in shared buffers."},)");
  lines.add(
      4,
      R"("blocks_read": {"type": "integer", "x-kind": "gauge", "x-unit": "{block}", "description": "Blocks not found there."},)");
  lines.add(
      4,
      R"("temp_blocks": {"type": "integer", "x-kind": "gauge", "x-unit": "{block}", "description": "Blocks written to temporary files."})");
  lines.add(3, R"(}, "required": ["family", "state", "places", "failures", "rows", "sent", "omitted", "bytes", "ms"]})");
  lines.add(2, "},");
  lines.add(2, R"("errors": {)");
  lines.add(3, R"("type": "array", "description": "Parts that are missing, each with its reason.",)");
  lines.add(3, R"("items": {"type": "object", "additionalProperties": false, "properties": {)");
  lines.add(4, R"("database": {"type": ["string", "null"], "x-kind": "info", "description": "null: the server as a whole."},)");
  lines.add(4, R"("family": {"type": ["string", "null"], "x-kind": "info", "description": "null: all of them."},)");
  lines.add(
      4,
      R"("code": {"type": "string", "x-kind": "info", "description": "An SQLSTATE, or a token: deadline, extension, pg.connect..."},)");
  lines.add(4, R"("message": {"type": "string", "x-kind": "info", "description": "What was tried, and why it failed."},)");
  lines.add(4, R"("hint": {"type": ["string", "null"], "x-kind": "info", "description": "What to do."})");
  lines.add(3, R"(}, "required": ["database", "family", "code", "message", "hint"]})");
  lines.add(2, "}");
  lines.add(1, "},");
  lines.add(1, R"("required": ["type", "timestamp", "instance", "server", "databases", "budget", "readings", "errors"])");
  lines.add(0, "}");
  return lines.text();
}

}  // namespace pganalytics::pg_stats
