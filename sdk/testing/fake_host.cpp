// FakeHost and Instance: the host's side of plugin.h in memory. Called by tests, on their thread; cancel() on any.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <pganalytics/hosting.hpp>
#include <pganalytics/testhost.hpp>

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "document_check.h"

namespace pganalytics::testing {
namespace {

std::int64_t now_ns(clockid_t id) {
  std::timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

const std::string* find(const std::map<std::string, std::string>& in, const char* key) {
  const auto found = in.find(key);
  return found == in.end() ? nullptr : &found->second;
}

}  // namespace

class Instance::Impl {
 public:
  Impl(FakeHost& host, const pga_plugin* plugin, std::string name)
      : host_(host),
        plugin_(plugin),
        name_(std::move(name)),
        cancel_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        state_(host.state) {
    table_ = pga_host{sizeof(pga_host), host.abi_minor, this,       "testhost",  "0",       &log,
                      &log_level,       &state_get,     &state_set, &secret_get, &info_get, &get_extension};
    if (plugin_ == nullptr) {
      created_ = Error{PGA_E_UNSUPPORTED, "plugin.refused", "the plugin refused this host", "", 0};
      return;
    }
    pga_error error = hosting::blank_error();
    const pga_status status = plugin_->create(&table_, name_.c_str(), &self_, &error);
    if (status != PGA_OK) created_ = hosting::error_of(status, error);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ~Impl() {
    if (created_) plugin_->destroy(self_);
    close(cancel_fd_);
  }

  [[nodiscard]] const Outcome& created() const { return created_; }

  Outcome configure(std::string_view json, bool dry_run) {
    if (!created_) return created_;
    pga_error error = hosting::blank_error();
    const pga_status status = plugin_->configure(self_, {json.data(), json.size()}, dry_run ? 1 : 0, &error);
    if (status == PGA_OK) return {};
    return hosting::error_of(status, error);
  }

  CollectResult collect(const CollectOptions& options) {
    CollectResult result;
    if (!created_) {
      result.status = created_.error().status;
      result.error_code = created_.error().code;
      result.error_message = created_.error().message;
      return result;
    }
    const pga_run run = make_run(options);
    documents_.clear();
    emit_refusal_.reset();
    pga_error error = hosting::blank_error();
    in_run_ = true;
    {
      const Watchdog watchdog(*this, options.timeout);
      result.status = plugin_->collect(self_, &run, &error);
    }
    in_run_ = false;
    drain_cancel();
    Error said = hosting::error_of(result.status, error);
    result.error_code = std::move(said.code);
    result.error_message = std::move(said.message);
    result.retry_after_ms = said.retry_after_ms;
    result.documents = std::move(documents_);
    judge(result);
    state_.settle(result.status == PGA_OK);
    if (result.status == PGA_OK) previous_unix_ns_ = run.scheduled_unix_ns;
    return result;
  }

  void cancel() {
    cancelled_ = true;
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the descriptor is readable already.
    [[maybe_unused]] const ssize_t written = write(cancel_fd_, &one, sizeof one);
    if (created_ && PGA_HAS(pga_plugin, plugin_, cancel) && plugin_->cancel != nullptr) plugin_->cancel(self_);
  }

 private:
  // Cancels the run at its deadline, unless it ends first.
  class Watchdog {
   public:
    Watchdog(Impl& instance, std::chrono::milliseconds timeout)
        : thread_([this, &instance, timeout] {
            std::unique_lock<std::mutex> lock(mutex_);
            if (ended_.wait_for(lock, timeout, [this] { return done_; })) return;
            lock.unlock();
            instance.cancel();
          }) {}
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog() {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        done_ = true;
      }
      ended_.notify_one();
      thread_.join();
    }

   private:
    std::mutex mutex_;
    std::condition_variable ended_;
    bool done_ = false;
    std::thread thread_;
  };

  static Impl& of(const pga_host* host) { return *static_cast<Impl*>(host->ctx); }
  static Impl& of(const pga_run* run) { return *static_cast<Impl*>(run->ctx); }

  pga_run make_run(const CollectOptions& options) {
    const std::int64_t timeout_ns = std::chrono::nanoseconds(options.timeout).count();
    pga_run run{};
    run.struct_size = sizeof run;
    run.reason = options.reason;
    run.ctx = this;
    run.sequence = ++sequence_;
    run.scheduled_unix_ns = options.scheduled_unix_ns != 0 ? options.scheduled_unix_ns : now_ns(CLOCK_REALTIME);
    run.previous_unix_ns = previous_unix_ns_;
    run.deadline_mono_ns = now_ns(CLOCK_MONOTONIC) + timeout_ns;
    run.cancel_fd = cancel_fd_;
    run.max_document_bytes = host_.max_document_bytes;
    run.cancelled = [](const pga_run* self) -> std::uint32_t { return of(self).cancelled_ ? 1 : 0; };
    run.emit = [](const pga_run* self, pga_str json) -> pga_status { return of(self).emit({json.data, json.len}); };
    return run;
  }

  pga_status emit(std::string_view json) {
    if (cancelled_) return PGA_E_DEADLINE;
    if (json.size() > host_.max_document_bytes) {
      refuse({PGA_E_LIMIT, "document.too_large", "a document of " + std::to_string(json.size()) + " bytes is too large", "", 0});
      return PGA_E_LIMIT;
    }
    if (auto checked = check_json_object(json); !checked) {
      refuse(std::move(checked).error());
      return PGA_E_FAIL;
    }
    documents_.emplace_back(json);
    return PGA_OK;
  }

  void refuse(Error why) {
    if (!emit_refusal_) emit_refusal_ = std::move(why);
  }

  // A plugin that says OK over a document the host refused has not succeeded.
  void judge(CollectResult& result) const {
    if (result.status != PGA_OK) return;
    std::optional<Error> wrong = emit_refusal_;
    for (const std::string& document : result.documents) {
      if (wrong) break;
      const pga_descriptor& descriptor = *plugin_->descriptor;
      if (auto checked = check_document(document, descriptor.id, descriptor.output_schema); !checked) wrong = checked.error();
    }
    if (!wrong) return;
    result.status = wrong->status;
    result.error_code = wrong->code;
    result.error_message = wrong->message;
  }

  void drain_cancel() {
    cancelled_ = false;
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(cancel_fd_, &count, sizeof count);  // nothing to read: it was not cancelled
  }

  static void log(const pga_host* host, std::uint32_t level, pga_str message) {
    Impl& instance = of(host);
    if (level > instance.host_.log_level) return;
    const std::lock_guard<std::mutex> lock(instance.log_mutex_);
    instance.host_.log.push_back({level, std::string(message.data, message.len)});
  }
  static std::uint32_t log_level(const pga_host* host) { return of(host).host_.log_level; }

  static pga_status state_get(const pga_host* host, const char* key, char* buf, size_t* len) {
    return hosting::hand_out(of(host).state_.get(key), buf, len);
  }

  static pga_status state_set(const pga_host* host, const char* key, pga_str value) {
    Impl& instance = of(host);
    if (!instance.in_run_) return PGA_E_UNSUPPORTED;
    if (value.data == nullptr) return instance.state_.set(key, std::nullopt);
    return instance.state_.set(key, std::string_view(value.data, value.len));
  }

  static pga_status secret_get(const pga_host* host, const char* name, char* buf, size_t* len) {
    return hosting::hand_out(find(of(host).host_.secrets, name), buf, len);
  }
  static pga_status info_get(const pga_host* host, const char* key, char* buf, size_t* len) {
    return hosting::hand_out(find(of(host).host_.facts, key), buf, len);
  }
  static const void* get_extension(const pga_host*, const char*) { return nullptr; }

  FakeHost& host_;
  const pga_plugin* plugin_;
  std::string name_;
  int cancel_fd_;
  pga_host table_{};
  void* self_ = nullptr;
  Outcome created_;
  std::mutex log_mutex_;
  std::atomic<bool> cancelled_{false};
  bool in_run_ = false;
  std::uint64_t sequence_ = 0;
  std::int64_t previous_unix_ns_ = 0;
  std::vector<std::string> documents_;
  hosting::StagedState state_;
  std::optional<Error> emit_refusal_;
};

Instance::Instance(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Instance::Instance(Instance&&) noexcept = default;
Instance& Instance::operator=(Instance&&) noexcept = default;
Instance::~Instance() = default;

const Outcome& Instance::created() const { return impl_->created(); }
Outcome Instance::configure(std::string_view config_json, bool dry_run) { return impl_->configure(config_json, dry_run); }
CollectResult Instance::collect(const CollectOptions& options) { return impl_->collect(options); }
void Instance::cancel() { impl_->cancel(); }

FakeHost::FakeHost()
    : facts{{"host.name", "\"testhost\""},
            {"collector.id", "\"00000000-0000-4000-8000-000000000000\""},
            {"collector.name", "\"test\""},
            {"product.version", "\"0.0.0\""}} {}
FakeHost::~FakeHost() = default;

Instance FakeHost::create(const pga_plugin* plugin, std::string_view instance) {
  std::string name(instance);
  if (name.empty() && plugin != nullptr) name = plugin->descriptor->id;
  return Instance(std::make_unique<Instance::Impl>(*this, plugin, std::move(name)));
}

}  // namespace pganalytics::testing
