// pganalytics/plugin.hpp - write a collector as a C++17 class. Header-only comfort over pganalytics/plugin.h, which stays
// the contract: nothing here is part of the ABI, so each plugin may use its own version of this file.
//
//     class Uptime : public pganalytics::Collector {
//       Outcome configure(std::string_view config_json, bool dry_run) override { ... }
//       Outcome collect(Run& run) override { return run.emit(document.text()); }
//     };
//     PGA_DEFINE_PLUGIN(Uptime, "acme_uptime", (pganalytics::PluginFacts{.., ..}))
//
// Each call from the host is guarded: an exception becomes PGA_E_FAIL, an Error becomes its status and a pga_error.
// Threads and lifetimes are those of plugin.h.
#ifndef PGANALYTICS_PLUGIN_HPP
#define PGANALYTICS_PLUGIN_HPP

#include <poll.h>

#include <pganalytics/plugin.h>
#include <pganalytics/expected.hpp>
#include <pganalytics/json.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace pganalytics {

// "2026-02-03T04:05:06.789Z" for nanoseconds since the Unix epoch: the "timestamp" of documents (RFC 3339, UTC, ms).
inline std::string rfc3339_ms(std::int64_t unix_ns) {
  std::int64_t ms = unix_ns / 1'000'000;
  if (unix_ns % 1'000'000 < 0) --ms;
  std::int64_t seconds = ms / 1000;
  std::int64_t rest = ms % 1000;
  if (rest < 0) {
    --seconds;
    rest += 1000;
  }
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(rest));
  return std::string(text, length) + fraction;
}

// CLOCK_MONOTONIC in nanoseconds: what deadline_mono_ns is compared with.
inline std::int64_t monotonic_now_ns() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// The host's services. Copyable; valid from the constructor of the Collector until its destructor returns.
class Host {
 public:
  explicit Host(const pga_host* host) : host_(host) {}

  // [any thread]
  void log(std::uint32_t level, std::string_view message) const { host_->log(host_, level, {message.data(), message.size()}); }
  void error(std::string_view message) const { log(PGA_LOG_ERROR, message); }
  void warn(std::string_view message) const { log(PGA_LOG_WARN, message); }
  void info(std::string_view message) const { log(PGA_LOG_INFO, message); }
  void debug(std::string_view message) const { log(PGA_LOG_DEBUG, message); }
  [[nodiscard]] bool would_log(std::uint32_t level) const { return host_->log_level(host_) >= level; }

  // [during create, configure, collect] nullopt: there is no such key.
  [[nodiscard]] Expected<std::optional<std::string>> state_get(const char* key) const { return read(host_->state_get, key); }
  [[nodiscard]] Expected<std::optional<std::string>> secret_get(const char* name) const { return read(host_->secret_get, name); }
  [[nodiscard]] Expected<std::optional<std::string>> info_get(const char* key) const { return read(host_->info_get, key); }

  // [during collect] Staged: durable together with this run's documents, or not at all.
  [[nodiscard]] Outcome state_set(const char* key, std::string_view value) const {
    static constexpr char kEmpty[] = "";
    return status_to_outcome(host_->state_set(host_, key, {value.data() ? value.data() : kEmpty, value.size()}), "state_set",
                             key);
  }
  [[nodiscard]] Outcome state_delete(const char* key) const {
    return status_to_outcome(host_->state_set(host_, key, {nullptr, 0}), "state_set", key);
  }

  [[nodiscard]] const void* extension(const char* id) const { return host_->get_extension(host_, id); }
  [[nodiscard]] const pga_host* raw() const { return host_; }

 private:
  using Getter = pga_status (*)(const pga_host*, const char*, char*, size_t*);

  Expected<std::optional<std::string>> read(Getter getter, const char* key) const {
    constexpr int kTriesMax = 4;  // a value may grow between two calls, but not for ever
    std::string value(256, '\0');
    for (int tries = 1;; ++tries) {
      std::size_t length = value.size();
      const pga_status status = getter(host_, key, value.data(), &length);
      if (status == PGA_E_NOTFOUND) return std::optional<std::string>();
      if (status == PGA_E_TOOSMALL && length > value.size() && tries < kTriesMax) {
        value.resize(length);
        continue;
      }
      if (status != PGA_OK) return status_to_outcome(status, "reading", key).error();
      value.resize(length);
      return std::optional<std::string>(std::move(value));
    }
  }

  static Outcome status_to_outcome(pga_status status, const char* what, const char* key) {
    if (status == PGA_OK) return {};
    return Error{status, "host.refused", std::string("the host refused ") + what + " '" + key + "'", "", 0};
  }

  const pga_host* host_;
};

// One collection run. Valid during the collect() it was passed to.
class Run {
 public:
  explicit Run(const pga_run* run) : run_(run) {}

  [[nodiscard]] std::uint32_t reason() const { return run_->reason; }
  [[nodiscard]] std::uint64_t sequence() const { return run_->sequence; }
  [[nodiscard]] std::int64_t scheduled_unix_ns() const { return run_->scheduled_unix_ns; }
  [[nodiscard]] std::int64_t previous_unix_ns() const { return run_->previous_unix_ns; }
  [[nodiscard]] std::string timestamp() const { return rfc3339_ms(run_->scheduled_unix_ns); }
  [[nodiscard]] int cancel_fd() const { return run_->cancel_fd; }
  [[nodiscard]] std::size_t max_document_bytes() const { return run_->max_document_bytes; }
  [[nodiscard]] bool cancelled() const { return run_->cancelled(run_) != 0; }

  // Time left until the host cancels; 0 once that moment has passed.
  [[nodiscard]] std::chrono::milliseconds remaining() const {
    const std::int64_t left_ms = (run_->deadline_mono_ns - monotonic_now_ns()) / 1'000'000;
    return std::chrono::milliseconds(std::max<std::int64_t>(left_ms, 0));
  }

  [[nodiscard]] Outcome emit(std::string_view json_object) {
    const pga_status status = run_->emit(run_, {json_object.data(), json_object.size()});
    if (status == PGA_OK) return {};
    return Error{status, "emit", "the host refused a document of " + std::to_string(json_object.size()) + " bytes", "", 0};
  }

 private:
  const pga_run* run_;
};

enum class Wake { kReady, kTimeout, kCancelled };

// Waits until `fd` is ready for `events` (POLLIN, POLLOUT), the run is cancelled, or `at_most` or the run's deadline is over,
// whichever is first; a cancel is told even if `fd` is ready too. A hangup or an error of `fd` counts as ready: the read or write
// that follows reports it. A negative fd waits for the rest, which makes a sleep that a cancel ends. An Error only if poll(2)
// fails. [during collect]
//
//     PGA_TRY(const Wake wake, pganalytics::wait_for(PQsocket(connection), POLLIN, run));
inline Expected<Wake> wait_for(int fd, short events, const Run& run,
                               std::chrono::milliseconds at_most = std::chrono::milliseconds::max());

// Derive from this, with a constructor (Host, std::string_view instance). The destructor is destroy().
class Collector {
 public:
  Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  virtual ~Collector() = default;

  [[nodiscard]] virtual Outcome configure(std::string_view config_json, bool dry_run) = 0;
  [[nodiscard]] virtual Outcome collect(Run& run) = 0;
  virtual void cancel() {}  // [any thread] non-blocking, idempotent
};

inline Expected<Wake> wait_for(int fd, short events, const Run& run, std::chrono::milliseconds at_most) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  const Clock::time_point end = Clock::now() + std::min(std::max(at_most, milliseconds(0)), run.remaining());
  for (;;) {
    if (run.cancelled()) return Wake::kCancelled;
    // Rounded up, so that the last round does not spin; a host without a cancel_fd is asked now and then.
    milliseconds nap = std::max(std::chrono::ceil<milliseconds>(end - Clock::now()), milliseconds(0));
    if (run.cancel_fd() < 0) nap = std::min(nap, milliseconds(50));
    constexpr milliseconds kNapMax{60'000};                              // poll() takes an int
    pollfd watched[] = {{fd, events, 0}, {run.cancel_fd(), POLLIN, 0}};  // poll() passes over negative descriptors
    const int ready = ::poll(watched, 2, static_cast<int>(std::min(nap, kNapMax).count()));
    if (ready < 0 && errno != EINTR) {
      return Error{PGA_E_FAIL, "poll", std::string("cannot wait with poll: ") + std::strerror(errno), "", 0};
    }
    if (ready > 0 && watched[1].revents != 0) return Wake::kCancelled;
    if (ready > 0 && watched[0].revents != 0) return Wake::kReady;
    if (Clock::now() >= end) return Wake::kTimeout;
  }
}

namespace plugin_detail {

inline void copy_text(char* to, std::size_t room, std::string_view text) {
  const std::size_t length = std::min(text.size(), room - 1);
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

inline pga_status tell(const Error& error, pga_error* out) {
  if (out != nullptr && PGA_HAS(pga_error, out, message)) {
    out->retry_after_ms = error.retry_after_ms;
    copy_text(out->code, sizeof out->code, error.code);
    const std::string text = error.hint.empty() ? error.message : error.message + "\nHINT: " + error.hint;
    copy_text(out->message, sizeof out->message, text);
  }
  return error.status < 0 ? error.status : PGA_E_FAIL;
}

// The one place where C++ meets the ABI: no exception passes.
template <class Body>
pga_status guarded(pga_error* out, Body&& body) noexcept {
  try {
    Outcome outcome = body();
    return outcome ? PGA_OK : tell(outcome.error(), out);
  } catch (const std::bad_alloc&) {
    if (out != nullptr && PGA_HAS(pga_error, out, message)) copy_text(out->message, sizeof out->message, "out of memory");
    return PGA_E_FATAL;
  } catch (const std::exception& thrown) {
    if (out != nullptr && PGA_HAS(pga_error, out, message)) copy_text(out->message, sizeof out->message, thrown.what());
    return PGA_E_FAIL;
  } catch (...) {
    if (out != nullptr && PGA_HAS(pga_error, out, message)) {
      copy_text(out->message, sizeof out->message, "the collector threw something that is not a std::exception");
    }
    return PGA_E_FAIL;
  }
}

template <class T>
struct Calls {
  static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
    return guarded(error, [&]() -> Outcome {
      *self = static_cast<Collector*>(std::make_unique<T>(Host(host), std::string_view(instance)).release());
      return {};
    });
  }
  static pga_status configure(void* self, pga_str json, std::uint32_t dry_run, pga_error* error) {
    return guarded(error, [&] { return of(self).configure({json.data, json.len}, dry_run != 0); });
  }
  static pga_status collect(void* self, const pga_run* raw, pga_error* error) {
    return guarded(error, [&] {
      Run run(raw);
      return of(self).collect(run);
    });
  }
  static void cancel(void* self) {
    guarded(nullptr, [&]() -> Outcome {
      of(self).cancel();
      return {};
    });
  }
  static void destroy(void* self) { delete &of(self); }

 private:
  static Collector& of(void* self) { return *static_cast<Collector*>(self); }
};

}  // namespace plugin_detail

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpadded"  // no part of the ABI
// The descriptor's fields that a plugin fills in; the rest is derived. Members in this order.
struct PluginFacts {
  const char* version;
  const char* vendor;
  const char* description;
  const char* license;
  const char* url;
  const char* aliases;  // comma separated, "" = none
  const char* config_schema;
  const char* output_schema;
  std::uint32_t needs;
  std::uint32_t flags;
  std::uint32_t default_interval_ms;
  std::uint32_t default_timeout_ms;
  std::uint32_t min_host_minor = 0;  // an older host refuses the plugin
};
#pragma GCC diagnostic pop

}  // namespace pganalytics

// Once per plugin, at file scope, outside any namespace. `facts` is a PluginFacts in parentheses. Names inside begin with kPga,
// so that the author's are seen.
#define PGA_DEFINE_PLUGIN(Type, id_, facts)                                                                 \
  PGA_NOTE(id_);                                                                                            \
  extern "C" PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t) {                                         \
    using PgaCalls = ::pganalytics::plugin_detail::Calls<Type>;                                             \
    static constexpr ::pganalytics::PluginFacts kPgaFacts = facts;                                          \
    static constexpr pga_descriptor kPgaDescriptor = {sizeof(pga_descriptor),                               \
                                                      kPgaFacts.min_host_minor,                             \
                                                      id_,                                                  \
                                                      kPgaFacts.aliases,                                    \
                                                      kPgaFacts.version,                                    \
                                                      kPgaFacts.vendor,                                     \
                                                      kPgaFacts.description,                                \
                                                      kPgaFacts.license,                                    \
                                                      kPgaFacts.url,                                        \
                                                      kPgaFacts.config_schema,                              \
                                                      kPgaFacts.output_schema,                              \
                                                      kPgaFacts.needs,                                      \
                                                      kPgaFacts.flags,                                      \
                                                      kPgaFacts.default_interval_ms,                        \
                                                      kPgaFacts.default_timeout_ms};                        \
    static constexpr pga_plugin kPgaPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR,        &kPgaDescriptor,    \
                                              &PgaCalls::create,  &PgaCalls::configure, &PgaCalls::collect, \
                                              &PgaCalls::cancel,  &PgaCalls::destroy,   nullptr};           \
    return &kPgaPlugin;                                                                                     \
  }

#endif
