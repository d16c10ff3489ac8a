// From the threads that use the spool to the one that owns the disk: runs and values in order, calls with an answer.
//
// Private to core/spool. Nobody who puts something in waits for the disk longer than he says. Runs that wait weigh at most
// kMemoryBytesMax, state included, and those of one plugin before its newest kMemoryBytesOfPluginMax. Then its oldest run gives
// up its documents (counted as "memory") and becomes one with the next: the state of both is in that one's transaction. What the
// states of all plugins weigh together, once each, comes on top. [any thread puts in; the storage thread takes out]
#pragma once

#include "core/spool/write.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

namespace pganalytics::spool {

class WriteQueue {
 public:
  using Call = std::function<void()>;
  // What the storage thread gets: some writes, in order, or one call; nothing: the time is over.
  struct Work {
    std::vector<Write> writes;
    Call call;
  };

  explicit WriteQueue(const clock::Clock& clock) : clock_(clock) {}

  // Puts it in and waits up to `patience` for its end, not at all when others have been waiting that long already. Nullopt: it
  // has not ended yet and will later.
  std::optional<Receipt> put(Write&& write, std::chrono::milliseconds patience);
  // Returns what take_back() knows it by.
  std::uint64_t put(Call&& call);
  // A call that take() gave out already is not taken back.
  void take_back(std::uint64_t call);

  // Waits until there is something, or `until`, or the end is wanted.
  Work take(std::chrono::steady_clock::time_point until);
  // The writes that take() gave out have ended.
  void finish(std::vector<Write>& writes);

  // What may wait from now on, in all: the ring takes from the same memory.
  void set_room(std::size_t bytes);
  // How many runs wait to be written.
  [[nodiscard]] std::size_t waiting() const;

  // The numbers (Write::number) of the newest write that was put in, and of the newest that has ended.
  [[nodiscard]] std::uint64_t put_in() const;
  [[nodiscard]] std::uint64_t ended() const;
  // Waits for the end of this write.
  void wait_until_ended(std::uint64_t number, std::chrono::steady_clock::time_point until);

  // take() gives out what is there and waits for no more.
  void end();
  [[nodiscard]] bool ending() const;
  // For the storage thread between two tries; ends early when the end is wanted.
  void pause(std::chrono::milliseconds time);
  // The storage thread has left; whoever ends the spool waits for it.
  void left();
  bool wait_until_left(std::chrono::steady_clock::time_point until);

 private:
  struct Waiting {
    std::variant<Write, Call> what;
    std::chrono::steady_clock::time_point since;
    std::size_t bytes = 0;
    std::uint64_t call = 0;
    bool merged = false;  // another one has all that it had
  };
  void keep_to_the_caps(const std::string& plugin);
  Write* give_up(Waiting& waiting, Waiting* next, Write* lost);

  const clock::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::uint64_t last_call_ = 0;
  std::chrono::steady_clock::time_point working_since_{};
  std::uint64_t put_in_ = 0, ended_ = 0;
  bool working_ = false, ending_ = false, left_ = false;
  std::size_t room_ = kMemoryBytesMax;
};

}  // namespace pganalytics::spool
