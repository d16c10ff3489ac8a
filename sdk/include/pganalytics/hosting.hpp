// The host's side of plugin.h: what every host must do alike, so that a plugin cannot tell one from another.
//
// Here: which tables of a plugin are taken, errors handed to a plugin to fill, the size protocol of state_get(), secret_get() and
// info_get(), what an instance is told of its name, the rules of a plugin's state. Not here: when to call what, durability,
// documents. For who writes a host, as the worker and the fake host of this tree do; a plugin needs nothing of it. Header-only;
// one thread at a time (the one that calls the plugin).
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

// What a call returned, with the meaning that the host at hand knows: a code of a later minor, or none at all, is PGA_E_FAIL.
inline pga_status known_status(pga_status status) { return status > PGA_OK || status < PGA_E_FATAL ? PGA_E_FAIL : status; }

namespace hosting_detail {

inline Error unusable(const char* code, const std::string& message,
                      const char* hint = "Ask the plugin's vendor for a build that passes `pganalytics plugin validate`.") {
  return Error{PGA_E_UNSUPPORTED, code, message, hint, 0};
}

inline bool is_text(const char* text, std::size_t length_max) {
  return text != nullptr && strnlen(text, length_max + 1) <= length_max;
}

inline Outcome check_descriptor(const pga_descriptor* descriptor, std::uint32_t host_minor) {
  constexpr std::uint32_t kKnownNeeds = PGA_NEED_PG | PGA_NEED_NET | PGA_NEED_READ_FS | PGA_NEED_PROC | PGA_NEED_EXEC;
  constexpr std::size_t kTextMax = 1024, kSchemaMax = 1u << 20;
  if (descriptor == nullptr || !PGA_HAS(pga_descriptor, descriptor, default_timeout_ms)) {
    return unusable("plugin.table", "its descriptor is missing or too short");
  }
  for (const char* text : {descriptor->id, descriptor->aliases, descriptor->version, descriptor->vendor, descriptor->description,
                           descriptor->license, descriptor->url}) {
    if (!is_text(text, kTextMax)) return unusable("plugin.table", "a text of its descriptor is missing or too long");
  }
  if (!is_text(descriptor->config_schema, kSchemaMax) || !is_text(descriptor->output_schema, kSchemaMax)) {
    return unusable("plugin.table", "a schema of its descriptor is missing or too long");
  }
  if (descriptor->min_host_minor > host_minor) {
    return unusable(
        "plugin.abi_minor",
        "it wants plugin ABI 1." + std::to_string(descriptor->min_host_minor) + ", this host has 1." + std::to_string(host_minor),
        "Upgrade pganalytics, or install an older version of the plugin.");
  }
  if ((descriptor->needs & ~kKnownNeeds) != 0) {
    return unusable("plugin.needs", "it declares a need that this host does not know (" + std::to_string(descriptor->needs) + ")",
                    "Upgrade pganalytics, or install an older version of the plugin.");
  }
  return {};
}

}  // namespace hosting_detail

// Whether a host of ABI 1.`host_minor` may use what pga_plugin_v1() returned: nothing mandatory is missing, and it wants nothing
// that the host does not know. Unknown flags are no reason to refuse, a flag never changes safety.
inline Outcome check_plugin(const pga_plugin* plugin, std::uint32_t host_minor) {
  using hosting_detail::unusable;
  if (plugin == nullptr) return unusable("plugin.refused", "it refuses this host");
  if (!PGA_HAS(pga_plugin, plugin, destroy)) return unusable("plugin.table", "its table is too short");
  if (plugin->create == nullptr || plugin->configure == nullptr || plugin->collect == nullptr || plugin->destroy == nullptr) {
    return unusable("plugin.table", "a function is missing from its table");
  }
  return hosting_detail::check_descriptor(plugin->descriptor, host_minor);
}

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

// The fact that tells an instance its name, a JSON string.
constexpr std::string_view kInstanceFact = "plugin.instance";

// What stands behind the @ of the name in the operator's configuration ("prod2" of "pg_stats@prod2"); "" for the unnamed
// instance.
inline std::string_view instance_part(std::string_view name) {
  const std::size_t at = name.find('@');
  return at == std::string_view::npos ? std::string_view() : name.substr(at + 1);
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
