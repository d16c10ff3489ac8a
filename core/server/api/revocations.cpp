#include "core/server/api/revocations.h"

namespace pganalytics::server::api {
namespace {

// A revocation's time is its transaction's begin, so its row may show later than younger ones: look back this far.
constexpr std::int64_t kOverlapNs = 60'000'000'000;

}  // namespace

bool Revocations::has(const std::string& collector_id) const {
  const std::lock_guard lock(mutex_);
  return revoked_.count(collector_id) != 0;
}

void Revocations::add(const std::string& collector_id) {
  const std::lock_guard lock(mutex_);
  revoked_.insert(collector_id);
}

Expected<std::vector<std::string>> Revocations::refresh(store::Store& store) {
  PGA_TRY(const store::Revoked found, store.revoked_since(since_unix_ns_));
  if (found.database_unix_ns != 0) since_unix_ns_ = found.database_unix_ns - kOverlapNs;
  std::vector<std::string> fresh;
  const std::lock_guard lock(mutex_);
  for (const std::string& id : found.collector_ids) {
    revoked_.insert(id);
    if (named_.insert(id).second) fresh.push_back(id);
  }
  return fresh;
}

}  // namespace pganalytics::server::api
