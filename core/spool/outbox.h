// The delivery side of the spool, as core/transport sees it. [delivery thread; implementations are thread-safe against sealing]
#pragma once

#include "core/spool/batch.h"

#include <optional>
#include <pganalytics/expected.hpp>

namespace pganalytics::spool {

class Outbox {
 public:
  virtual ~Outbox() = default;
  // The batch to send next; nullopt: nothing waits. Calling again without acknowledge/set_aside gives the same batch.
  virtual Expected<std::optional<Batch>> next() = 0;
  // The server has it durably: forget it.
  virtual Outcome acknowledge(std::uint64_t seq) = 0;
  // The server will never take it: keep it out of the way, count its documents as lost for `reason` ("poison", "too_large").
  virtual Outcome set_aside(std::uint64_t seq, const std::string& reason) = 0;
};

}  // namespace pganalytics::spool
