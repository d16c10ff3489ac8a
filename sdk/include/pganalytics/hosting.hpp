// The host's side of plugin.h: what every host must do alike, so that a plugin cannot tell one from another.
//
// Here: errors handed to a plugin to fill, the size protocol of state_get(), secret_get() and info_get(), the rules of a plugin's
// state. Not here: when to call what, durability, documents. For who writes a host, as the worker and the fake host of
// this tree do; a plugin needs nothing of it. Header-only; one thread at a time (the one that calls the plugin).
#ifndef PGANALYTICS_HOSTING_HPP
#define PGANALYTICS_HOSTING_HPP

#include <pganalytics/plugin.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace pganalytics::hosting {

// For a plugin to fill.
inline pga_error blank_error() {
  pga_error error{};
  error.struct_size = sizeof error;
  return error;
}

// What a plugin said, with any status. It filled fixed arrays; whether it ended them is not taken on trust.
inline Error error_of(pga_status status, const pga_error& error) {
  return {status, std::string(error.code, strnlen(error.code, sizeof error.code)),
          std::string(error.message, strnlen(error.message, sizeof error.message)), "", error.retry_after_ms};
}

// `value` by the size protocol of state_get(), secret_get() and info_get(); NULL: there is none.
inline pga_status hand_out(const std::string* value, char* buf, std::size_t* len) {
  if (value == nullptr) return PGA_E_NOTFOUND;
  const std::size_t room = std::exchange(*len, value->size());
  if (room < value->size()) return PGA_E_TOOSMALL;
  if (!value->empty()) std::memcpy(buf, value->data(), value->size());
  return PGA_OK;
}

// A plugin's key/value as state_get() and state_set() show it: what is committed, and what this run staged over it.
class StagedState {
 public:
  using Committed = std::map<std::string, std::string>;
  using Changes = std::map<std::string, std::optional<std::string>>;  // nullopt deletes

  // `committed` stays the caller's, who makes it durable; it must outlive this.
  explicit StagedState(Committed& committed) : committed_(committed) {}

  // NULL: there is no such key. Valid until the next change.
  [[nodiscard]] const std::string* get(const std::string& key) const {
    if (const auto staged = staged_.find(key); staged != staged_.end()) return staged->second ? &*staged->second : nullptr;
    const auto committed = committed_.find(key);
    return committed == committed_.end() ? nullptr : &committed->second;
  }

  // nullopt deletes. PGA_E_FAIL for a key that is none, PGA_E_LIMIT.
  pga_status set(const std::string& key, std::optional<std::string_view> value) {
    if (!is_key(key)) return PGA_E_FAIL;
    if (!value) {
      staged_[key] = std::nullopt;
      return PGA_OK;
    }
    if (value->size() > kValueBytesMax) return PGA_E_LIMIT;
    if (bytes_without(key) + key.size() + value->size() > kTotalBytesMax) return PGA_E_LIMIT;
    staged_[key] = std::string(*value);
    return PGA_OK;
  }

  [[nodiscard]] const Changes& staged() const { return staged_; }

  // The run's changes are committed, or never were.
  void settle(bool committed) {
    for (auto& [key, value] : std::exchange(staged_, {})) {
      if (!committed) continue;
      if (value) {
        committed_[key] = std::move(*value);
      } else {
        committed_.erase(key);
      }
    }
  }

 private:
  static constexpr std::size_t kKeyLengthMax = 64;
  static constexpr std::size_t kValueBytesMax = 64u << 10;
  static constexpr std::size_t kTotalBytesMax = 1u << 20;

  static bool is_key(std::string_view key) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    return !key.empty() && key.size() <= kKeyLengthMax && key.find_first_not_of(kAllowed) == std::string_view::npos;
  }

  [[nodiscard]] std::size_t bytes_without(const std::string& key) const {
    std::size_t bytes = 0;
    for (const auto& [other, value] : committed_) {
      if (other != key && staged_.count(other) == 0) bytes += other.size() + value.size();
    }
    for (const auto& [other, value] : staged_) {
      if (other != key && value) bytes += other.size() + value->size();
    }
    return bytes;
  }

  Committed& committed_;
  Changes staged_;
};

}  // namespace pganalytics::hosting

#endif
