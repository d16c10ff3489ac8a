#include "core/collector/diagnosis.h"

#include "core/schema/json_text.h"
#include "core/terminal/text_table.h"

#include <algorithm>
#include <cstdio>

namespace pganalytics::collector {
namespace {

using rapidjson::Value;

std::string text_of(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString() ? member->value.GetString() : "";
}

std::uint64_t count_of(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsUint64() ? member->value.GetUint64() : 0;
}

bool flag_of(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsTrue();
}

double number_of(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsNumber() ? member->value.GetDouble() : 0;
}

// The objects in the array `name`.
template <class Take>
void each_object(const Value& document, const char* name, const Take& take) {
  const auto member = document.FindMember(name);
  if (member == document.MemberEnd() || !member->value.IsArray()) return;
  for (const Value& element : member->value.GetArray()) {
    if (element.IsObject()) take(element);
  }
}

DiagnosedPart part_of(const Value& reading) {
  return {text_of(reading, "family"), text_of(reading, "state"),  count_of(reading, "places"), count_of(reading, "failures"),
          count_of(reading, "rows"),  count_of(reading, "bytes"), number_of(reading, "ms")};
}

bool is_part(const std::string& name) { return name == "family" || name == "part"; }
bool is_reason(const std::string& name) { return name == "code" || name == "message" || name == "hint"; }

void add(std::vector<Finding>& findings, const Value& error) {
  Finding found{"", {}, text_of(error, "code"), text_of(error, "message"), text_of(error, "hint"), flag_of(error, "optional")};
  for (const auto& member : error.GetObject()) {
    if (!member.value.IsString() || is_reason(member.name.GetString())) continue;
    if (is_part(member.name.GetString())) {
      found.part = member.value.GetString();
    } else {
      found.places.emplace_back(member.value.GetString());
    }
  }
  const auto same = std::find_if(findings.begin(), findings.end(), [&](const Finding& other) {
    return other.part == found.part && other.code == found.code && other.message == found.message && other.hint == found.hint &&
           other.optional == found.optional;
  });
  if (same == findings.end()) return findings.push_back(std::move(found));
  for (std::string& place : found.places) {
    if (std::find(same->places.begin(), same->places.end(), place) == same->places.end())
      same->places.push_back(std::move(place));
  }
}

// "works", "works in 2 of 3"; other states as the plugin says them.
std::string state_words(const DiagnosedPart& part) {
  if (part.state == "absent") return "not on this server";
  if (part.state == "idle") return "nothing to read";
  if (part.state != "read" && !part.state.empty()) return part.state;
  if (part.failures == 0) return "works";
  return "works in " + std::to_string(part.places) + " of " + std::to_string(part.places + part.failures);
}

std::string reason_of(const Finding& finding) {
  constexpr std::size_t kPlacesShown = 5;
  std::string where;
  for (std::size_t i = 0; i < std::min(finding.places.size(), kPlacesShown); ++i) {
    where += (i == 0 ? "" : ", ") + finding.places[i];
  }
  if (finding.places.size() > kPlacesShown) where += " and " + std::to_string(finding.places.size() - kPlacesShown) + " more";
  return (where.empty() ? "" : where + ": ") + finding.message + (finding.optional ? " (optional)" : "");
}

std::string tenths(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string parts_table(const Diagnosis& diagnosis) {
  terminal::TextTable table({{"PART"}, {"STATE"}, {"ROWS", true}, {"BYTES", true}, {"MS", true}});
  for (const DiagnosedPart& part : diagnosis.parts) {
    const bool read = part.places > 0 || part.failures > 0;
    table.row({part.name, state_words(part), read ? std::to_string(part.rows) : "", read ? std::to_string(part.bytes) : "",
               read ? tenths(part.ms) : ""});
    for (const Finding& finding : diagnosis.findings) {
      if (finding.part != part.name) continue;
      table.note(reason_of(finding));
      if (!finding.hint.empty()) table.note("HINT: " + finding.hint);
    }
  }
  return table.text();
}

}  // namespace

bool Diagnosis::is_well() const {
  return !failed && std::all_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.optional; });
}

Diagnosis diagnose(const host::RunReport& report) {
  Diagnosis diagnosis;
  diagnosis.plugin = report.plugin;
  diagnosis.failed = report.failed;
  diagnosis.duration_ms = report.duration_ms;
  diagnosis.documents = report.documents.size();
  for (const std::string& text : report.documents) {
    diagnosis.bytes += text.size();
    const auto document = schema::parse_json(text);
    if (!document) continue;  // the supervisor has checked it: does not happen
    each_object(*document, "readings", [&](const Value& reading) { diagnosis.parts.push_back(part_of(reading)); });
    each_object(*document, "errors", [&](const Value& error) { add(diagnosis.findings, error); });
  }
  return diagnosis;
}

std::string to_text(const Diagnosis& diagnosis) {
  std::string text = terminal::printable(diagnosis.plugin) + ": ";
  if (diagnosis.failed) {
    text += "failed: " + terminal::printable(diagnosis.failed->message) + "\n";
    if (!diagnosis.failed->hint.empty()) text += "    HINT: " + terminal::printable(diagnosis.failed->hint) + "\n";
    return text;
  }
  text += (diagnosis.is_well() ? "works" : "works in part") + std::string("; ") + std::to_string(diagnosis.documents) +
          (diagnosis.documents == 1 ? " document, " : " documents, ") + std::to_string(diagnosis.bytes) + " bytes, " +
          std::to_string(diagnosis.duration_ms) + " ms\n";
  if (!diagnosis.parts.empty()) text += parts_table(diagnosis);
  for (const Finding& finding : diagnosis.findings) {
    const bool told = std::any_of(diagnosis.parts.begin(), diagnosis.parts.end(),
                                  [&](const DiagnosedPart& part) { return part.name == finding.part; });
    if (told) continue;
    text += "    " + (finding.part.empty() ? "" : terminal::printable(finding.part) + ": ") +
            terminal::printable(reason_of(finding)) + "\n";
    if (!finding.hint.empty()) text += "    HINT: " + terminal::printable(finding.hint) + "\n";
  }
  return text;
}

void to_json(JsonWriter& json, const Diagnosis& diagnosis) {
  json.begin_object().member("plugin", diagnosis.plugin).member("well", diagnosis.is_well());
  if (!diagnosis.failed) {
    json.member("failed", std::optional<std::string>());
  } else {
    json.key("failed").begin_object().member("code", diagnosis.failed->code).member("message", diagnosis.failed->message);
    json.member("hint", text_or_null(diagnosis.failed->hint)).end_object();
  }
  json.member("documents", static_cast<std::uint64_t>(diagnosis.documents));
  json.member("bytes", static_cast<std::uint64_t>(diagnosis.bytes)).member("duration_ms", diagnosis.duration_ms);
  json.key("parts").begin_array();
  for (const DiagnosedPart& part : diagnosis.parts) {
    json.begin_object().member("name", part.name).member("state", part.state).member("places", part.places);
    json.member("failures", part.failures)
        .member("rows", part.rows)
        .member("bytes", part.bytes)
        .member("ms", part.ms)
        .end_object();
  }
  json.end_array().key("findings").begin_array();
  for (const Finding& finding : diagnosis.findings) {
    json.begin_object().member("part", text_or_null(finding.part)).key("places").begin_array();
    for (const std::string& place : finding.places) json.value(place);
    json.end_array().member("code", finding.code).member("message", finding.message);
    json.member("hint", text_or_null(finding.hint)).member("optional", finding.optional).end_object();
  }
  json.end_array().end_object();
}

}  // namespace pganalytics::collector
