#include "core/host/worker/link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace pganalytics::worker {
namespace {

// No destructors, no exit handlers of the plugin: whoever would have waited for them is gone.
[[noreturn]] void end_without_host() { _exit(EXIT_FAILURE); }

}  // namespace

Link::Link(int socket, std::function<void(std::uint64_t)> on_cancel)
    : socket_(socket), on_cancel_(std::move(on_cancel)), reader_([this] { read_frames(); }) {}

Link::~Link() { reader_.join(); }

void Link::send(host::FrameType type, std::uint64_t run, std::string_view payload) {
  const std::string frame = host::encode_frame(type, run, payload);
  std::string_view rest = frame;
  const std::lock_guard<std::mutex> lock(sending_);
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) end_without_host();
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

host::Frame Link::receive() {
  std::unique_lock<std::mutex> lock(mutex_);
  arrived_.wait(lock, [this] { return !commands_.empty(); });
  host::Frame frame = std::move(commands_.front());
  commands_.pop_front();
  return frame;
}

host::AnswerMessage Link::ask(std::uint32_t kind, const std::string& name) {
  send(host::FrameType::kAsk, 0, host::pack(host::AskMessage{kind, name}));
  std::unique_lock<std::mutex> lock(mutex_);
  arrived_.wait(lock, [this] { return !answers_.empty(); });
  host::AnswerMessage answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

void Link::read_frames() {
  host::FrameReader reader(host::FrameReader::From::kHost);
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) end_without_host();
    reader.feed({buffer, static_cast<std::size_t>(got)});
    for (;;) {
      auto frame = reader.next();
      if (!frame) end_without_host();
      if (!*frame) break;
      if (!take(std::move(**frame))) return;
    }
  }
}

bool Link::take(host::Frame frame) {
  switch (frame.type) {
    case host::FrameType::kPing: send(host::FrameType::kPong, 0, {}); return true;
    case host::FrameType::kCancel: on_cancel_(frame.run); return true;
    default: break;
  }
  const bool last = frame.type == host::FrameType::kShutdown;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (frame.type == host::FrameType::kAnswer) {
      auto answer = host::unpack<host::AnswerMessage>(frame.payload);
      if (!answer) end_without_host();
      answers_.push_back(std::move(*answer));
    } else {
      commands_.push_back(std::move(frame));
    }
  }
  arrived_.notify_all();
  return !last;
}

}  // namespace pganalytics::worker
