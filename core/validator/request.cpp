#include "core/validator/request.h"

#include <pganalytics/json.hpp>

#include "core/schema/json_text.h"

namespace pganalytics::validator {
namespace {

constexpr std::string_view kAt = "at ";

std::string text_member(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return "";
  return {member->value.GetString(), member->value.GetStringLength()};
}

}  // namespace

std::string to_json(const Request& request) {
  JsonWriter json;
  json.begin_object()
      .member("check", request.check)
      .member("file", request.file)
      .member("worker_path", request.worker_path)
      .member("config_json", request.config_json)
      .key("secrets")
      .begin_object();
  for (const auto& [name, value] : request.secrets) json.member(name, value);
  json.end_object().end_object();
  return std::string(json.text());
}

Expected<Request> parse_request(std::string_view json) {
  PGA_TRY(const rapidjson::Document document, schema::parse_json(json));
  if (!document.IsObject()) return Error{PGA_E_FAIL, "checker.request", "the request is no JSON object", "", 0};
  Request request{text_member(document, "check"),
                  text_member(document, "file"),
                  text_member(document, "worker_path"),
                  text_member(document, "config_json"),
                  {}};
  const auto secrets = document.FindMember("secrets");
  if (secrets == document.MemberEnd() || !secrets->value.IsObject()) return request;
  for (const auto& secret : secrets->value.GetObject()) {
    request.secrets[secret.name.GetString()] = text_member(secrets->value, secret.name.GetString());
  }
  return request;
}

std::string to_text(const Finding& finding) { return std::string(name_of(finding.verdict)) + "\n" + finding.seen; }

Answer parse_answer(std::string_view text) {
  Answer answer;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return answer;  // cut off in the middle
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (const auto verdict = verdict_named(line)) {
      answer.finding = Finding{*verdict, mend_utf8(text)};
      return answer;
    }
    if (line.substr(0, kAt.size()) == kAt) answer.at = line.substr(kAt.size());
  }
  return answer;
}

}  // namespace pganalytics::validator
