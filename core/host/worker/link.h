// The worker's end of the socket to the host: sends frames from any thread, and a thread of its own that reads.
//
// The reading thread answers PING and CANCEL at once, also while the plugin's code runs, and queues everything else for the main
// thread. When the host is gone, there is nothing left to work for: the process ends on the spot.
#pragma once

#include "core/host/frames.h"
#include "core/host/messages.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace pganalytics::worker {

class Link {
 public:
  // on_cancel(run) is called on the reading thread.
  Link(int socket, std::function<void(std::uint64_t)> on_cancel);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();  // after kShutdown was received: the reading thread has ended by itself

  // [any thread] Blocks while the host is busy: that is the plugin's back-pressure.
  void send(host::FrameType type, std::uint64_t run, std::string_view payload);

  // [main thread] The next command; blocks.
  host::Frame receive();

  // [main thread] Ask the host and wait for its answer.
  host::AnswerMessage ask(std::uint32_t kind, const std::string& name);

 private:
  void read_frames();
  bool take(host::Frame frame);  // false: that was the last one

  int socket_;
  std::function<void(std::uint64_t)> on_cancel_;
  std::mutex sending_;
  std::mutex mutex_;  // guards what is below
  std::condition_variable arrived_;
  std::deque<host::Frame> commands_;
  std::deque<host::AnswerMessage> answers_;
  std::thread reader_;
};

}  // namespace pganalytics::worker
