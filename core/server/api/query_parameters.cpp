#include "core/server/api/query_parameters.h"

#include "core/server/api/parameter_text.h"

namespace pganalytics::server::api {
namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;

// In whole seconds, at least `least` and at most `most`; nullopt where it is not given.
Expected<std::optional<std::int64_t>> read_seconds(const http::Request& request, std::string_view name, std::int64_t least,
                                                   std::int64_t most) {
  PGA_TRY(const auto duration_ms, read_duration_ms(request, name));
  if (!duration_ms) return duration_ms;
  if (*duration_ms % 1'000 != 0) return refused(name, "is not in whole seconds");
  const std::int64_t seconds = *duration_ms / 1'000;
  if (seconds < least || seconds > most)
    return refused(name, "is not between " + std::to_string(least) + "s and " + std::to_string(most) + "s");
  return std::optional<std::int64_t>(seconds);
}

Outcome read_range(const http::Request& request, std::int64_t now_unix_ns, query::Question& question) {
  PGA_TRY(const auto to, read_time(request, "to"));
  question.to_unix_ns = to.value_or(now_unix_ns);
  PGA_TRY(const auto from, read_time(request, "from"));
  question.from_unix_ns = from.value_or(question.to_unix_ns - kHourNs);
  question.now_unix_ns = now_unix_ns;
  PGA_TRY(question.step_s, read_seconds(request, "step", 1, query::kRangeMaxS));
  PGA_TRY(const auto hold_s, read_seconds(request, "hold", 0, query::kHoldMaxMs / 1'000));
  question.hold_s = hold_s.value_or(question.hold_s);
  return {};
}

Outcome read_groups(const http::Request& request, query::Question& question) {
  PGA_TRY(question.by, read_list(request, "by"));
  const std::string group = word_of(request, "group");
  if (!group.empty()) {
    question.gather = query::parse_gather(group);
    if (!question.gather) return refused("group", "is none of sum, avg, min, max");
  } else if (!question.by.empty()) {
    question.gather = query::Gather::kSum;
  }
  return {};
}

}  // namespace

Expected<query::Question> read_question(const http::Request& request, std::int64_t now_unix_ns) {
  PGA_CHECK(check_parameters(
      request, {"family", "field", "labels", "collector", "from", "to", "step", "hold", "agg", "by", "group", "limit"},
      query::kMatchersBytes));
  query::Question question;
  question.family = word_of(request, "family");
  if (question.family.empty()) return refused("family", "is missing");
  PGA_TRY(question.fields, read_list(request, "field"));
  if (question.fields.empty()) return refused("field", "is missing");
  if (question.fields.size() > query::kFieldsMax)
    return refused("field", "names more than " + std::to_string(query::kFieldsMax) + " fields");
  auto matchers = query::parse_matchers(word_of(request, "labels"));
  if (!matchers) return refused("labels", matchers.error().message);
  question.matchers = std::move(matchers).value();
  question.collector = word_of(request, "collector");
  PGA_CHECK(read_range(request, now_unix_ns, question));
  question.aggregate = word_of(request, "agg");
  PGA_CHECK(read_groups(request, question));
  PGA_TRY(question.limit, read_limit(request, question.limit, query::kSeriesMax));
  return question;
}

}  // namespace pganalytics::server::api
