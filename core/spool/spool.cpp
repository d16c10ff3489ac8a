#include "core/spool/spool.h"

#include "core/log/log.h"
#include "core/spool/storage.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace pganalytics::spool {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kDurablePatience{60'000};  // of a command that has to know

Error busy() { return Error{PGA_E_TRANSIENT, "spool.busy", "the disk of the spool does not answer in time", "", 0}; }

// Answers on their way from the storage thread, which outlives the spool when the disk hangs.
struct Answers {
  std::mutex mutex;
  std::condition_variable changed;
  SteadyClock::time_point stop_at = SteadyClock::time_point::max();
};

}  // namespace

class Spool::Impl {
 public:
  explicit Impl(std::shared_ptr<Storage> storage)
      : storage_(std::move(storage)), thread_([storage = storage_] { storage->run(); }) {}

  // A disk that hangs must not hang whoever stops: what the thread still does, it does alone.
  ~Impl() {
    storage_->queue().end();
    const auto until = std::min(SteadyClock::now() + milliseconds(storage_->options().pace.stop_wait_ms), stop_at());
    if (storage_->queue().wait_until_left(until)) {
      thread_.join();
    } else {
      log::error("the disk of the spool does not answer; what is not on it yet is lost");
      thread_.detach();
    }
  }

  Expected<std::uint64_t> put(Write&& write) {
    const bool must_know = storage_->options().disk_only;
    const auto receipt = storage_->queue().put(
        std::move(write), must_know ? kDurablePatience : milliseconds(storage_->options().pace.seal_wait_ms));
    if (!receipt) return must_know ? Expected<std::uint64_t>(busy()) : Expected<std::uint64_t>(0);
    if (receipt->error) return *receipt->error;
    return receipt->seq;
  }

  Outcome put_value(const std::string& key, const std::optional<std::string>& value) {
    storage_->mirror().set_value(key, value);
    Write write;
    write.values[key] = value;
    if (const auto done = put(std::move(write)); !done) return done.error();
    return {};
  }

  // A call that has not begun when the patience ends is taken back: it never will.
  template <class Result>
  Result ask(std::function<Result(Storage&)> work) {
    const auto answer = std::make_shared<std::optional<Result>>();
    const auto until = SteadyClock::now() + milliseconds(storage_->options().pace.delivery_wait_ms);
    const std::uint64_t call =
        storage_->queue().put([answer, answers = answers_, work = std::move(work), storage = storage_.get()] {
          Result result = work(*storage);
          storage->publish();
          const std::lock_guard lock(answers->mutex);
          answer->emplace(std::move(result));
          answers->changed.notify_all();
        });
    std::unique_lock lock(answers_->mutex);
    while (!*answer) {
      const auto end = std::min(until, answers_->stop_at);
      if (SteadyClock::now() >= end) break;
      answers_->changed.wait_until(lock, end);
    }
    if (*answer) return std::move(**answer);
    storage_->queue().take_back(call);
    return busy();
  }
  void tell(std::function<void(Storage&)> work) {
    storage_->queue().put([work = std::move(work), storage = storage_.get()] { work(*storage); });
  }

  void stop_waiting_after(SteadyClock::time_point deadline) {
    const std::lock_guard lock(answers_->mutex);
    answers_->stop_at = deadline;
    answers_->changed.notify_all();
  }

  [[nodiscard]] Mirror& mirror() const { return storage_->mirror(); }
  [[nodiscard]] WriteQueue& queue() const { return storage_->queue(); }

 private:
  [[nodiscard]] SteadyClock::time_point stop_at() const {
    const std::lock_guard lock(answers_->mutex);
    return answers_->stop_at;
  }

  const std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::shared_ptr<Storage> storage_;
  std::thread thread_;
};

Expected<std::unique_ptr<Spool>> Spool::open(const std::string& dir, const SpoolOptions& options) {
  PGA_TRY(auto storage, Storage::open(dir, options));
  return std::unique_ptr<Spool>(new Spool(std::make_unique<Impl>(std::move(storage))));
}

Spool::Spool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Spool::~Spool() = default;
void Spool::stop_waiting_after(std::chrono::steady_clock::time_point deadline) { impl_->stop_waiting_after(deadline); }

// The main thread's -----------------------------------------------------------------------------------------------------------

Expected<std::uint64_t> Spool::seal(SealedRun&& run) {
  impl_->mirror().sealed(run);
  Write write;
  write.run = std::move(run);
  return impl_->put(std::move(write));
}

Expected<std::map<std::string, std::string>> Spool::state_of(const std::string& plugin) {
  return impl_->mirror().state_of(plugin);
}
Expected<std::optional<std::string>> Spool::value(const std::string& key) { return impl_->mirror().value(key); }
Outcome Spool::set_value(const std::string& key, const std::string& value) { return impl_->put_value(key, value); }
Outcome Spool::remove_value(const std::string& key) { return impl_->put_value(key, std::nullopt); }
std::uint64_t Spool::mark() const { return impl_->queue().put_in(); }
// In this order: what ended in memory had the mode published before.
bool Spool::is_on_disk(std::uint64_t mark) const {
  return impl_->queue().ended() >= mark && impl_->mirror().status().mode == "disk";
}
void Spool::wait_for_disk(std::uint64_t mark, milliseconds patience) const {
  impl_->queue().wait_until_ended(mark, SteadyClock::now() + patience);
}
Expected<std::vector<Loss>> Spool::losses() { return impl_->mirror().losses(); }

Expected<SpoolStatus> Spool::status() {
  SpoolStatus status = impl_->mirror().status();
  status.pending_runs = impl_->queue().waiting();
  return status;
}

void Spool::set_encoding(compression::Encoding encoding) {
  impl_->tell([encoding](Storage& storage) { storage.set_encoding(encoding); });
}
void Spool::set_caps(const SpoolCaps& caps) {
  impl_->tell([caps](Storage& storage) { storage.set_caps(caps); });
}

// The delivery thread's ------------------------------------------------------------------------------------------------------

Expected<std::optional<Batch>> Spool::next(Lane lane) {
  return impl_->ask<Expected<std::optional<Batch>>>([lane](Storage& storage) { return storage.next(lane); });
}
// Whoever is told that it did not work will not release it.
Outcome Spool::hold(const BatchKey& key) {
  Outcome held = impl_->ask<Outcome>([key](Storage& storage) { return storage.hold(key); });
  if (!held && held.error().code == "spool.busy") release(key);
  return held;
}
void Spool::release(const BatchKey& key) {
  impl_->tell([key](Storage& storage) { storage.release(key); });
}
Outcome Spool::acknowledge(const BatchKey& key) {
  return impl_->ask<Outcome>([key](Storage& storage) { return storage.acknowledge(key); });
}
Outcome Spool::set_aside(const BatchKey& key, const std::string& reason) {
  return impl_->ask<Outcome>([key, reason](Storage& storage) { return storage.set_aside(key, reason); });
}
Expected<bool> Spool::split(const BatchKey& key) {
  return impl_->ask<Expected<bool>>([key](Storage& storage) { return storage.split(key); });
}
Outcome Spool::rekey(const BatchKey& key) {
  return impl_->ask<Outcome>([key](Storage& storage) { return storage.rekey(key); });
}

}  // namespace pganalytics::spool
