// What a destination's thread has done since the server started. [one thread writes, any reads]
#pragma once

#include <atomic>
#include <cstdint>

namespace pganalytics::server::forward {

struct Counters {
  std::atomic<bool> active{false};          // this server has the destination; else another, or nobody
  std::atomic<std::uint64_t> batches{0};    // of which the receiver took all or the first pushes
  std::atomic<std::uint64_t> documents{0};  // that it took, or that had nothing for it
  std::atomic<std::uint64_t> failures{0};   // attempts that were not answered with success
  // Documents that the receiver will not get: forgotten before they could be sent; refused twice, or larger than it takes; not as
  // their plugin's schema says.
  std::atomic<std::uint64_t> lost{0}, poison{0}, unreadable{0};
  // When the oldest push came that is still to be sent, the held ones aside; 0: there is none.
  std::atomic<std::int64_t> oldest_unix_ns{0};
};

}  // namespace pganalytics::server::forward
