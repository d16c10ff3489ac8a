// How often the server has said no, and why: a number per reason, counted where the refusal is made. [any thread]
//
// Shown as one log line a minute (core/server/program); monitoring reads the same numbers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pganalytics::server::http {

enum class Refusal : std::size_t {
  kConnections,           // more than the server takes
  kConnectionsOfAddress,  // more of one address that have not authenticated
  kConnectionsOfCollector,
  kHandshake,  // TLS failed or took too long
  kSlowHeader,
  kSlowBody,
  kMalformed,  // not HTTP/1.1 as we take it: 400, 417
  kTargetTooLong,
  kHeaderTooLarge,
  kBodyTooLarge,    // as it came
  kOverloaded,      // more requests at work than the server takes
  kBodies,          // more bodies on their way than it waits for
  kCredentials,     // 401
  kRights,          // 403 but the next two
  kRevoked,         // a revoked collector
  kOtherCollector,  // a collector that asked for what is another's
  kFailureRate,     // too many 401 of one address or certificate
  kPushRate,
  kReadRate,
  kTokenRate,
  kEnrolRate,
  kEnrolLockout,  // an address with too many wrong registration tokens
  kEnd
};

std::string_view name_of(Refusal refusal);  // "connections_of_address"

class Refusals {
 public:
  using Numbers = std::array<std::uint64_t, static_cast<std::size_t>(Refusal::kEnd)>;

  void count(Refusal refusal) noexcept { numbers_[static_cast<std::size_t>(refusal)].fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t of(Refusal refusal) const noexcept {
    return numbers_[static_cast<std::size_t>(refusal)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] Numbers all() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Refusal::kEnd)> numbers_{};
};

// "push_rate 12, slow_body 1": what was added between the two; "" if nothing.
std::string describe_growth(const Refusals::Numbers& before, const Refusals::Numbers& now);

}  // namespace pganalytics::server::http
