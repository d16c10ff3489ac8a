#include "core/host/worker/staged_state.h"

namespace pganalytics::worker {
namespace {

constexpr std::size_t kKeyLengthMax = 64;
constexpr std::size_t kValueBytesMax = 64u << 10;
constexpr std::size_t kTotalBytesMax = 1u << 20;

bool is_key(std::string_view key) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !key.empty() && key.size() <= kKeyLengthMax && key.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

const std::string* StagedState::get(const std::string& key) const {
  if (const auto staged = staged_.find(key); staged != staged_.end()) return staged->second ? &*staged->second : nullptr;
  const auto committed = committed_.find(key);
  return committed == committed_.end() ? nullptr : &committed->second;
}

pga_status StagedState::set(const std::string& key, std::optional<std::string_view> value) {
  if (!is_key(key)) return PGA_E_FAIL;
  if (value) {
    if (value->size() > kValueBytesMax) return PGA_E_LIMIT;
    if (bytes_without(key) + key.size() + value->size() > kTotalBytesMax) return PGA_E_LIMIT;
    staged_[key] = std::string(*value);
  } else {
    staged_[key] = std::nullopt;
  }
  return PGA_OK;
}

void StagedState::settle(bool committed) {
  if (committed) {
    for (auto& [key, value] : staged_) {
      if (value) {
        committed_[key] = std::move(*value);
      } else {
        committed_.erase(key);
      }
    }
  }
  staged_.clear();
}

std::size_t StagedState::bytes_without(const std::string& key) const {
  std::size_t bytes = 0;
  for (const auto& [other, value] : committed_) {
    if (other != key && staged_.count(other) == 0) bytes += other.size() + value.size();
  }
  for (const auto& [other, value] : staged_) {
    if (other != key && value) bytes += other.size() + value->size();
  }
  return bytes;
}

}  // namespace pganalytics::worker
