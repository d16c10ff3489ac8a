// What is in each frame: one struct per frame type, its fields named once for both directions.
//
// Fields follow each other without names: integers little-endian, texts as u32 length and bytes, lists and maps as u32 count and
// what they hold.
// A message from the other side may be anything: unpack() is nullopt for a field that runs past the end, and for bytes left over.
// Used by the host and by the worker. [any thread]
#pragma once

#include "core/host/plugin_info.h"
#include "core/host/worker_policy.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pganalytics::host {

// How a call into the plugin ended: a pga_status and the pga_error.
struct Verdict {
  std::int32_t status = PGA_OK;
  std::string code, message;
  std::uint32_t retry_after_ms = 0;
  std::string hint = {};

  static Verdict of(Error error) {
    return {error.status, std::move(error.code), std::move(error.message), error.retry_after_ms, std::move(error.hint)};
  }
  template <class Field>
  void fields(Field& field) {
    field(status), field(code), field(message), field(retry_after_ms), field(hint);
  }
};

struct LoadMessage {
  std::string path, id;
  WorkerPolicy policy;
  template <class Field>
  void fields(Field& field) {
    field(path), field(id);
    policy.fields(field);
  }
};

// `info` has neither path nor build id: the host knows those.
struct HelloMessage {
  Verdict verdict;
  PluginInfo info;
  std::string aliases;            // comma separated, as in the descriptor
  std::vector<std::string> gaps;  // what of the policy is not in force, and why: "landlock: this kernel has none"
  template <class Field>
  void fields(Field& field) {
    verdict.fields(field);
    field(info.id), field(aliases), field(info.version), field(info.vendor), field(info.description), field(info.license);
    field(info.url), field(info.config_schema), field(info.output_schema), field(info.abi_minor), field(info.needs);
    field(info.flags), field(info.default_interval_ms), field(info.default_timeout_ms), field(gaps);
  }
};

struct StartMessage {
  std::string instance;
  std::uint32_t log_level = PGA_LOG_INFO;
  std::uint32_t document_bytes_max = 0, documents_max = 0;
  std::uint64_t run_bytes_max = 0;
  std::map<std::string, std::string> state;
  template <class Field>
  void fields(Field& field) {
    field(instance), field(log_level), field(document_bytes_max), field(documents_max), field(run_bytes_max), field(state);
  }
};

struct ConfigureMessage {
  std::uint32_t dry_run = 0;
  std::string json;
  template <class Field>
  void fields(Field& field) {
    field(dry_run), field(json);
  }
};

struct ConfiguredMessage {
  std::uint32_t dry_run = 0;
  Verdict verdict;
  template <class Field>
  void fields(Field& field) {
    field(dry_run);
    verdict.fields(field);
  }
};

struct CollectMessage {
  std::uint32_t reason = 0;
  std::int64_t scheduled_unix_ns = 0, previous_unix_ns = 0;
  std::int64_t remaining_ns = 0;   // to the deadline
  std::uint64_t credit_bytes = 0;  // of documents that may be sent before there is more credit
  template <class Field>
  void fields(Field& field) {
    field(reason), field(scheduled_unix_ns), field(previous_unix_ns), field(remaining_ns), field(credit_bytes);
  }
};

struct ResultMessage {
  Verdict verdict;
  std::uint32_t refused_documents = 0;  // by the worker: no JSON object, too large, too many
  std::map<std::string, std::optional<std::string>> staged;
  template <class Field>
  void fields(Field& field) {
    verdict.fields(field);
    field(refused_documents), field(staged);
  }
};

struct CreditMessage {
  std::uint64_t bytes = 0;  // in addition
  template <class Field>
  void fields(Field& field) {
    field(bytes);
  }
};

struct SettleMessage {
  std::uint32_t committed = 0;
  template <class Field>
  void fields(Field& field) {
    field(committed);
  }
};

struct LogMessage {
  std::uint32_t level = PGA_LOG_INFO;
  std::string text;
  std::uint64_t dropped = 0;  // lines before this one that the worker did not send
  template <class Field>
  void fields(Field& field) {
    field(level), field(text), field(dropped);
  }
};

struct AskMessage {
  static constexpr std::uint32_t kSecret = 0, kFact = 1;
  std::uint32_t kind = kSecret;
  std::string name;
  template <class Field>
  void fields(Field& field) {
    field(kind), field(name);
  }
};

struct AnswerMessage {
  std::int32_t status = PGA_OK;
  std::string value;
  template <class Field>
  void fields(Field& field) {
    field(status), field(value);
  }
};

// What a list holds: a plain value, or a struct with fields of its own.
template <class Field, class T>
void each_field(Field& field, T& item) {
  if constexpr (std::is_class_v<T> && !std::is_same_v<T, std::string>) {
    item.fields(field);
  } else {
    field(item);
  }
}

class FieldWriter {
 public:
  template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
  void operator()(Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
  }
  void operator()(const std::string& text) {
    (*this)(static_cast<std::uint32_t>(text.size()));
    bytes += text;
  }
  template <class T>
  void operator()(const std::optional<T>& maybe) {
    (*this)(static_cast<std::uint32_t>(maybe ? 1 : 0));
    if (maybe) (*this)(*maybe);
  }
  template <class T>
  void operator()(const std::map<std::string, T>& map) {
    (*this)(static_cast<std::uint32_t>(map.size()));
    for (const auto& [key, value] : map) (*this)(key), (*this)(value);
  }
  template <class T>
  void operator()(const std::vector<T>& list) {
    (*this)(static_cast<std::uint32_t>(list.size()));
    for (T item : list) each_field(*this, item);
  }

  std::string bytes;
};

// After the first field that does not fit, every further one is left as it is.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
  void operator()(Integer& value) {
    if (!has(sizeof value)) return;
    std::uint64_t read = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
      read |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    value = static_cast<Integer>(read);
    rest_.remove_prefix(sizeof value);
  }
  void operator()(std::string& text) {
    std::uint32_t length = 0;
    (*this)(length);
    if (!has(length)) return;
    text.assign(rest_.substr(0, length));
    rest_.remove_prefix(length);
  }
  template <class T>
  void operator()(std::optional<T>& maybe) {
    std::uint32_t present = 0;
    (*this)(present);
    maybe.reset();
    if (present == 0 || !good_) return;
    (*this)(maybe.emplace());
  }
  // The count is not believed: entries are read until they end or the bytes do.
  template <class T>
  void operator()(std::map<std::string, T>& map) {
    std::uint32_t count = 0;
    (*this)(count);
    for (std::uint32_t i = 0; i < count && good_; ++i) {
      std::string key;
      T value{};
      (*this)(key), (*this)(value);
      if (good_) map.insert_or_assign(std::move(key), std::move(value));
    }
  }
  template <class T>
  void operator()(std::vector<T>& list) {
    std::uint32_t count = 0;
    (*this)(count);
    list.clear();
    for (std::uint32_t i = 0; i < count && good_; ++i) {
      T item{};
      each_field(*this, item);
      if (good_) list.push_back(std::move(item));
    }
  }

  [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }

 private:
  bool has(std::size_t bytes) { return good_ = good_ && rest_.size() >= bytes; }

  std::string_view rest_;
  bool good_ = true;
};

template <class Message>
std::string pack(Message message) {
  FieldWriter writer;
  message.fields(writer);
  return std::move(writer.bytes);
}

template <class Message>
std::optional<Message> unpack(std::string_view bytes) {
  FieldReader reader(bytes);
  Message message;
  message.fields(reader);
  if (!reader.complete()) return std::nullopt;
  return message;
}

}  // namespace pganalytics::host
