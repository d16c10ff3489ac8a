// One instance of a plugin in the fake host: the calls the host makes (instance.cpp), how it cancels them (cancelling.cpp), the
// services it gives (services.cpp).
#pragma once

#include <array>
#include <atomic>
#include <ctime>
#include <deque>
#include <functional>
#include <pganalytics/hosting.hpp>
#include <pganalytics/testhost.hpp>
#include <thread>
#include <vector>

#include "lent_memory.h"

namespace pganalytics::testing {

inline std::int64_t clock_ns(clockid_t id) {
  std::timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class Instance::Impl {
 public:
  Impl(FakeHost& host, const pga_plugin* plugin, std::string name);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  [[nodiscard]] const Outcome& created() const { return created_; }
  Outcome configure(std::string_view json, bool dry_run);
  CollectResult collect(const CollectOptions& options);
  const void* extension(const char* id);

  // [any thread]
  void cancel();
  [[nodiscard]] bool collecting() const { return call_ == Call::kCollect; }
  // The virtual clock has moved.
  void cancel_if_due(std::int64_t virtual_unix_ns);

 private:
  enum class Call { kNone, kCreate, kConfigure, kCollect, kOther };
  static constexpr std::size_t kServices = 5;
  static constexpr std::size_t kRetiredMax = 64;

  // Calls (instance.cpp)
  Outcome create();
  pga_status enter(Call call, const char* name, const std::function<pga_status()>& body);
  [[nodiscard]] Error said_by_plugin(const char* name, pga_status status, const pga_error& error);
  CollectResult run(const CollectOptions& options);
  void judge(CollectResult& result) const;

  // Cancelling (cancelling.cpp)
  static int make_cancel_fd();
  void call_cancel();
  void begin_cancellable(const CollectOptions& options);
  void end_cancellable(CollectResult& result);
  [[nodiscard]] std::optional<std::chrono::nanoseconds> real_cancel(const CollectOptions& options) const;

  // Memory (instance.cpp)
  LentMemory lend(const void* bytes, std::size_t size);
  LentMemory lend_struct(const void* bytes, std::size_t size_1_0, std::size_t size_now);
  void take_back(LentMemory memory);

  // Services (services.cpp)
  pga_host make_host_table();
  pga_run make_run_table(const CollectOptions& options);
  pga_run make_stale_run_table();
  pga_status emit(std::string_view json);
  void refuse(Error why);
  [[nodiscard]] bool may_ask(const char* service);
  [[nodiscard]] std::optional<pga_status> fault(Service service);
  void log_line(std::uint32_t level, std::string_view message);
  static pga_status give(const pga_host* host, Service service, const char* name, const std::string* value, char* buf,
                         size_t* len);
  static pga_status set_state(const pga_host* host, const char* key, pga_str value);

  FakeHost& host_;
  const pga_plugin* plugin_;
  const std::uint32_t abi_minor_;
  const Tables tables_;
  const bool guarded_, poisoned_;
  bool hopping_;
  std::string name_, instance_fact_;
  std::deque<LentMemory> retired_;  // of calls that returned: still mapped, so that a kept borrow reads poison
  std::optional<LentMemory> table_;
  void* self_ = nullptr;
  Outcome created_;
  hosting::StagedState state_;

  // The call in progress.
  std::atomic<Call> call_{Call::kNone};
  std::atomic<std::thread::id> caller_{};
  std::array<std::uint32_t, kServices> calls_{};  // of each service

  // The run in progress.
  const CollectOptions* options_ = nullptr;
  CollectResult* result_ = nullptr;
  std::optional<Error> refusal_;
  std::uint64_t sequence_ = 0;
  std::int64_t previous_unix_ns_ = 0;

  // Cancelling: cancelled_ns_ and cancel_fd_ change together.
  std::mutex cancel_mutex_;
  std::atomic<std::int64_t> cancelled_ns_{0};  // CLOCK_MONOTONIC; 0: not
  std::optional<std::int64_t> virtual_deadline_unix_ns_;
  int cancel_fd_;
  std::vector<std::thread> cancelling_;  // the caller's thread only
};

}  // namespace pganalytics::testing
