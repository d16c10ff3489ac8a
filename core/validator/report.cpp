#include "core/validator/report.h"

#include <cstdio>

namespace pganalytics::validator {
namespace {

// Where docs/plugin/validator.md says more of a check.
std::string doc_of(const Check& check) {
  std::string anchor(check.id);
  anchor[0] = static_cast<char>(anchor[0] - 'A' + 'a');
  return "docs/plugin/validator.md#" + anchor;
}

bool is_warning(const CheckResult& result) { return result.finding.verdict == Verdict::kFail && !result.check->is_error(); }

const char* word_of(const CheckResult& result) {
  switch (result.finding.verdict) {
    case Verdict::kPass: return "pass";
    case Verdict::kFail: return result.check->is_error() ? "FAIL" : "warn";
    case Verdict::kSkip: return "skip";
  }
  return "";
}

std::size_t warnings_of(const Validation& validation) { return validation.count(Verdict::kFail) - validation.failed_errors(); }

std::string seconds(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ms) / 1000.0);
  return text;
}

// For an attribute or text of XML: control bytes have no form in it at all.
std::string xml_of(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\n': escaped += "&#10;"; break;
      default: escaped += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return escaped;
}

std::string junit_case(const CheckResult& result) {
  char time[32];
  std::snprintf(time, sizeof time, "%.3f", static_cast<double>(result.duration_ms) / 1000.0);
  std::string text = "  <testcase classname=\"pganalytics.validate\" name=\"" +
                     xml_of(std::string(result.check->id) + " " + std::string(result.check->title)) + "\" time=\"" + time + "\"";
  const std::string seen = xml_of(result.finding.seen);
  if (result.finding.verdict == Verdict::kPass) return text + "/>\n";
  text += ">\n    ";
  if (result.finding.verdict == Verdict::kSkip) {
    text += "<skipped message=\"" + seen + "\"/>";
  } else if (is_warning(result)) {
    text += "<system-out>warning: " + seen + "&#10;" + xml_of(result.check->fix) + "</system-out>";
  } else {
    text += "<failure message=\"" + seen + "\">" + xml_of(result.check->fix) + "</failure>";
  }
  return text + "\n  </testcase>\n";
}

}  // namespace

std::string result_text(const CheckResult& result) {
  std::string text =
      std::string(word_of(result)) + "  " + std::string(result.check->id) + "  " + std::string(result.check->title);
  const std::string& seen = result.finding.seen;
  if (result.finding.verdict == Verdict::kFail) {
    return text + "\n           seen: " + seen + "\n           fix:  " + std::string(result.check->fix) + "\n";
  }
  return text + (seen.empty() ? "" : " (" + seen + ")") + "\n";
}

std::string summary_text(const Validation& validation) {
  const std::size_t warnings = warnings_of(validation);
  std::string text = validation.file + ": " + std::to_string(validation.count(Verdict::kPass)) + " passed, " +
                     std::to_string(validation.failed_errors()) + " failed, " + std::to_string(warnings) +
                     (warnings == 1 ? " warning, " : " warnings, ") + std::to_string(validation.count(Verdict::kSkip)) +
                     " skipped (" + seconds(validation.duration_ms) + ")";
  if (validation.failed_errors() == 0 && warnings > 0) text += "; warnings do not fail it";
  return text + "\n";
}

void write_json(const Validation& validation, JsonWriter& json) {
  json.begin_object()
      .member("file", validation.file)
      .member("id", text_or_null(validation.id))
      .member("result", validation.failed_errors() == 0 ? "pass" : "fail")
      .member("passed", validation.count(Verdict::kPass))
      .member("failed", validation.failed_errors())
      .member("warnings", warnings_of(validation))
      .member("skipped", validation.count(Verdict::kSkip))
      .member("duration_ms", validation.duration_ms)
      .key("checks")
      .begin_array();
  for (const CheckResult& result : validation.results) {
    const bool failed = result.finding.verdict == Verdict::kFail;
    json.begin_object()
        .member("id", result.check->id)
        .member("severity", result.check->is_error() ? "error" : "warning")
        .member("title", result.check->title)
        .member("result", name_of(result.finding.verdict))
        .member("seen", text_or_null(result.finding.seen))
        .member("fix", text_or_null(failed ? result.check->fix : ""))
        .member("doc", doc_of(*result.check))
        .member("duration_ms", result.duration_ms)
        .end_object();
  }
  json.end_array().end_object();
}

std::string junit_xml(const Validation& validation) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" +
                     xml_of(validation.id.empty() ? validation.file : validation.id) + "\" tests=\"" +
                     std::to_string(validation.results.size()) + "\" failures=\"" + std::to_string(validation.failed_errors()) +
                     "\" skipped=\"" + std::to_string(validation.count(Verdict::kSkip)) + "\">\n";
  for (const CheckResult& result : validation.results) text += junit_case(result);
  return text + "</testsuite>\n";
}

std::string list_text() {
  std::string text;
  for (const Check& check : all_checks()) text += std::string(check.id) + "  " + std::string(check.title) + "\n";
  return text;
}

void write_list_json(JsonWriter& json) {
  json.begin_array();
  for (const Check& check : all_checks()) {
    json.begin_object()
        .member("id", check.id)
        .member("severity", check.is_error() ? "error" : "warning")
        .member("title", check.title)
        .member("why", check.why)
        .member("fix", check.fix)
        .member("after", check.after)
        .end_object();
  }
  json.end_array();
}

std::string list_markdown() {
  std::string text;
  for (const Check& check : all_checks()) {
    text += "### " + std::string(check.id) + "\n\n**It means:** " + std::string(check.title) + ". " + std::string(check.why) +
            "\n**To mend it:** " + std::string(check.fix) + "\n\n";
  }
  return text;
}

}  // namespace pganalytics::validator
