// A request target on any bytes as GET /api/v1/query: what is let through keeps the limits, and its label matchers, written anew,
// read the same again.
// links: pganalytics::server_api
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/server/api/query_parameters.h"
#include "core/server/http/target.h"
#include "core/server/query/matchers.h"

using namespace pganalytics;
using namespace pganalytics::server;
using Is = store::LabelMatch::Is;

namespace {

std::string written(const query::Matcher& matcher) {
  std::string text = matcher.label;
  text += matcher.is == Is::kEqual ? "=\"" : matcher.is == Is::kNotEqual ? "!=\"" : matcher.is == Is::kLike ? "~\"" : "!~\"";
  for (const char c : matcher.value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

void check_matchers(std::string_view text) {
  const auto matchers = query::parse_matchers(text);
  if (!matchers) return;
  if (matchers.value().size() > query::kMatchersMax) std::abort();
  for (const query::Matcher& matcher : matchers.value()) {
    if (matcher.value.find('\0') != std::string::npos) std::abort();
    const auto again = query::parse_matchers(written(matcher));
    if (!again) {
      if (written(matcher).size() <= query::kMatchersBytes) std::abort();
      continue;
    }
    if (again.value().size() != 1 || again.value()[0].value != matcher.value || again.value()[0].is != matcher.is) std::abort();
    const std::string like = query::like_pattern(matcher.value);
    if (like.size() < matcher.value.size() || like.size() > 2 * matcher.value.size()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_matchers(text);
  auto target = http::parse_target(text);
  if (!target) return 0;
  http::Request request;
  request.query = std::move(target->query);
  constexpr std::int64_t kNow = 1'770'091'445'000'000'000;
  const auto question = api::read_question(request, kNow);
  if (!question) return 0;
  const query::Question& asked = question.value();
  if (asked.family.empty() || asked.fields.empty() || asked.fields.size() > query::kFieldsMax) std::abort();
  if (asked.limit == 0 || asked.limit > query::kSeriesMax || asked.hold_s < 0 || asked.hold_s > 86'400) std::abort();
  const auto grid = query::lay_grid(asked.from_unix_ns, asked.to_unix_ns, asked.step_s, kNow);
  if (!grid) return 0;
  if (grid->steps == 0 || static_cast<std::int64_t>(grid->steps) > query::kStepsMax) std::abort();
  if (grid->from_unix_s % grid->step_s != 0) std::abort();
  if (grid->from_unix_s * 1'000'000'000 > asked.from_unix_ns) std::abort();
  if (grid->end_unix_s() < asked.to_unix_ns / 1'000'000'000) std::abort();
  static_cast<void>(query::parse_aggregate(asked.aggregate, "gauge"));
  return 0;
}
