// The host's end of one worker: its process (or thread), the frames to and from it, the lines it prints. Never blocks.
//
// Here: bytes. Not here: which frame may come when, deadlines, restarts (runner.h). One thread.
#pragma once

#include <deque>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/frames.h"
#include "core/host/messages.h"
#include "core/host/process.h"
#include "core/host/token_bucket.h"

struct pollfd;

namespace pganalytics::host {

class WorkerHandle {
 public:
  static Expected<WorkerHandle> spawn(const std::string& worker_path, const std::string& name);
  static Expected<WorkerHandle> start_thread(const std::string& name);

  [[nodiscard]] WorkerBody& body() { return *body_; }
  [[nodiscard]] const WorkerBody& body() const { return *body_; }

  // Queue a frame and write what the socket takes; the rest goes when poll() says so. To a worker that is gone: nothing happens.
  void send(FrameType type, std::uint64_t run = 0, std::string_view payload = {});
  template <class Message>
  void send_message(FrameType type, std::uint64_t run, Message message) {
    send(type, run, pack(std::move(message)));
  }

  // The next frame that has arrived whole, nullopt if none. An error is a broken protocol: final.
  Expected<std::optional<Frame>> receive();
  // It has sent too many frames that are no documents: it is not listened to for a while. Documents have their own limit, credit.
  bool patient(std::int64_t now_ns);
  // What it printed since the last call, a mebibyte a second at most; of more it finds the pipe full.
  std::string output(std::int64_t now_ns);
  [[nodiscard]] bool deaf() const { return deaf_; }
  // When it is to be listened to again, if it is not now.
  [[nodiscard]] std::int64_t listens_ns() const;
  // It closed its end, or died: no frame will follow those already received.
  [[nodiscard]] bool closed() const { return closed_; }

  // What the socket has not taken yet.
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_.size(); }

  void add_to_poll(std::vector<pollfd>& fds) const;
  void flush();

 private:
  WorkerHandle(std::unique_ptr<WorkerBody> body, Descriptor socket, Descriptor output)
      : body_(std::move(body)), socket_(std::move(socket)), output_(std::move(output)), output_closed_(output_.get() < 0) {}
  bool fill();

  std::unique_ptr<WorkerBody> body_;
  Descriptor socket_, output_;
  FrameReader reader_{FrameReader::From::kWorker};
  std::string unsent_;
  TokenBucket frames_{1000, 1000};
  TokenBucket output_bytes_{1 << 20, 1 << 20};
  bool deaf_ = false;         // to frames
  bool output_deaf_ = false;  // and to what it prints
  bool closed_ = false;
  bool output_closed_;
};

}  // namespace pganalytics::host
