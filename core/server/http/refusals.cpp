#include "core/server/http/refusals.h"

namespace pganalytics::server::http {
namespace {

// clang-format off
constexpr std::array<std::string_view, static_cast<std::size_t>(Refusal::kEnd)> kNames = {
    "connections", "connections_of_address", "connections_of_collector", "handshake", "slow_header", "slow_body", "malformed",
    "target_too_long", "header_too_large", "body_too_large", "overloaded", "bodies", "credentials", "rights", "revoked",
    "other_collector", "failure_rate", "push_rate", "read_rate", "token_rate", "enrol_rate", "enrol_lockout"};
// clang-format on
static_assert(!kNames.back().empty(), "every reason has a name");

}  // namespace

std::string_view name_of(Refusal refusal) { return kNames.at(static_cast<std::size_t>(refusal)); }

Refusals::Numbers Refusals::all() const noexcept {
  Numbers numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = numbers_[i].load(std::memory_order_relaxed);
  return numbers;
}

std::string describe_growth(const Refusals::Numbers& before, const Refusals::Numbers& now) {
  std::string text;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] == before[i]) continue;
    if (!text.empty()) text += ", ";
    text.append(kNames[i]).append(" ").append(std::to_string(now[i] - before[i]));
  }
  return text;
}

}  // namespace pganalytics::server::http
