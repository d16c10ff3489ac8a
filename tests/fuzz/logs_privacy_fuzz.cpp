// An event of any texts, redacted. The promise: no crash, redacting again shows nothing more, what `none` hides `parameters`
// hides, and what that hides `all` hides; a password behind its word is in no mode's result, and a value in its place of a known
// message only in that of `none`. The texts are separated by zero bytes.
// links: logs_objects
#include "plugins/logs/privacy/redact.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace pganalytics::logs;

constexpr std::string_view kSecret = "Z7SECRETZ7";
constexpr std::string Event::*kTexts[] = {&Event::message,   &Event::detail,         &Event::hint, &Event::context,
                                          &Event::statement, &Event::internal_query, &Event::user, &Event::application};

void require(bool promise) {
  if (!promise) std::abort();
}

Event event_of(std::string_view text, std::size_t seed) {
  Event event;
  if (seed % 7 != 0) event.severity = static_cast<Severity>(seed % kSeverityNames.size());
  for (std::string Event::*member : kTexts) {
    const std::string_view piece = text.substr(0, text.find('\0'));
    event.*member = piece;
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
  }
  return event;
}

bool holds_secret(const Event& event) {
  for (std::string Event::*member : kTexts) {
    if ((event.*member).find(kSecret) != std::string::npos) return true;
  }
  return false;
}

// The letters of a text that a mode leaves, in their order: what it hides more leaves fewer.
bool is_part_of(std::string_view fewer, std::string_view more) {
  std::size_t at = 0;
  for (const char c : fewer) {
    at = more.find(c, at);
    if (at == std::string_view::npos) return false;
    ++at;
  }
  return true;
}

std::string without_marks(std::string text) {
  for (std::size_t at = 0; (at = text.find(kRedacted, at)) != std::string::npos;) text.erase(at, kRedacted.size());
  return text;
}

// Without what stands in for what is hidden.
std::string left(const std::string& redacted) {
  std::string text = without_marks(redacted);
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '?' || c == ' '; }), text.end());
  return text;
}

void require_ordered(const Event& event, bool has_class) {
  std::array<Event, 3> redacted = {event, event, event};
  for (std::size_t mode = 0; mode < redacted.size(); ++mode) redact(redacted[mode], static_cast<Redaction>(mode), has_class);
  for (std::string Event::*member : kTexts) {
    require(is_part_of(left(redacted[0].*member), left(redacted[1].*member)));
    require(is_part_of(left(redacted[1].*member), left(redacted[2].*member)));
    require(is_part_of(left(redacted[2].*member), event.*member));
  }
}

void require_no_more(Event event, Redaction mode, bool has_class) {
  redact(event, mode, has_class);
  Event again = event;
  redact(again, mode, has_class);
  for (std::string Event::*member : kTexts) require(is_part_of(left(again.*member), left(event.*member)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find(kSecret) != std::string_view::npos) return 0;
  const bool has_class = size % 2 == 0;
  const Event event = event_of(text, size);
  require_ordered(event, has_class);

  const std::string secret(kSecret);
  for (const Redaction mode : {Redaction::kAll, Redaction::kParameters, Redaction::kNone}) {
    require_no_more(event, mode, has_class);
    for (const std::string& credential : {" host=h password=" + secret + " ", "\nalter role r password '" + secret + "'",
                                          " postgresql://u:" + secret + "@h/d "}) {
      for (std::string Event::*member : kTexts) {
        Event planted = event;
        planted.*member = credential + planted.*member;
        redact(planted, mode, has_class);
        require(!holds_secret(planted));
      }
    }
    if (mode == Redaction::kNone) break;
    Event planted = event;
    planted.message = "invalid input syntax for type integer: \"" + secret + event.message + "\"";
    planted.detail = "Key (a)=(" + secret + event.detail + ") already exists.";
    planted.context = "COPY t, line 1, column a: \"" + secret + event.context + "\"";
    planted.statement = "select '" + secret + "', " + event.statement;
    redact(planted, mode, has_class);
    require(!holds_secret(planted));
  }
  return 0;
}
