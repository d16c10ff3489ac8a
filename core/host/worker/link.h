// The worker's end of the socket to the host: sends frames from any thread, and a thread of its own that reads.
//
// The reading thread answers PING and CANCEL at once, also while the plugin's code runs, and queues everything else for the main
// thread. When the host is gone, there is nothing left to work for: the process ends on the spot. In a thread of the host
// (isolation = "thread") the link ends instead, and whoever waits on it goes on.
#pragma once

#include "core/host/frames.h"
#include "core/host/messages.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace pganalytics::worker {

class Link {
 public:
  // Called on the reading thread.
  struct Events {
    std::function<void(std::uint64_t run)> cancel;
    std::function<void(std::uint64_t run, std::uint64_t bytes)> credit;
    std::function<void()> gone;  // the host is; none: the process ends
  };
  Link(int socket, Events events);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();  // after kShutdown, or end()

  // [any thread] Blocks while the host is busy: that is the plugin's back-pressure.
  void send(host::FrameType type, std::uint64_t run, std::string_view payload);

  // [main thread] The next command; blocks. nullopt: the host is gone.
  std::optional<host::Frame> receive();

  // [main thread] Ask the host and wait for its answer.
  host::AnswerMessage ask(std::uint32_t kind, const std::string& name);

  // [any thread] Nothing will be sent or read any more, the host sees the end.
  void end();

 private:
  void read_frames();
  bool take(host::Frame frame);  // false: that was the last one
  void lose_host();

  int socket_;
  Events events_;
  std::mutex sending_;
  std::mutex mutex_;  // guards what is below
  std::condition_variable arrived_;
  std::deque<host::Frame> commands_;
  std::deque<host::AnswerMessage> answers_;
  bool gone_ = false;
  std::thread reader_;
};

}  // namespace pganalytics::worker
