#include "core/host/worker/link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace pganalytics::worker {

Link::Link(int socket, Events events) : socket_(socket), events_(std::move(events)), reader_([this] { read_frames(); }) {}

Link::~Link() { reader_.join(); }

void Link::send(host::FrameType type, std::uint64_t run, std::string_view payload) {
  const std::string frame = host::encode_frame(type, run, payload);
  std::string_view rest = frame;
  const std::lock_guard<std::mutex> lock(sending_);
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return lose_host();
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<host::Frame> Link::receive() {
  std::unique_lock<std::mutex> lock(mutex_);
  arrived_.wait(lock, [this] { return gone_ || !commands_.empty(); });
  if (commands_.empty()) return std::nullopt;
  host::Frame frame = std::move(commands_.front());
  commands_.pop_front();
  return frame;
}

host::AnswerMessage Link::ask(std::uint32_t kind, const std::string& name) {
  send(host::FrameType::kAsk, 0, host::pack(host::AskMessage{kind, name}));
  std::unique_lock<std::mutex> lock(mutex_);
  arrived_.wait(lock, [this] { return gone_ || !answers_.empty(); });
  if (answers_.empty()) return {PGA_E_FAIL, ""};
  host::AnswerMessage answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

void Link::end() { shutdown(socket_, SHUT_RDWR); }

// No destructors, no exit handlers of the plugin: whoever would have waited for them is gone.
void Link::lose_host() {
  if (!events_.gone) _exit(EXIT_FAILURE);
  end();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    gone_ = true;
  }
  arrived_.notify_all();
  events_.gone();
}

void Link::read_frames() {
  host::FrameReader reader(host::FrameReader::From::kHost);
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return lose_host();
    reader.feed({buffer, static_cast<std::size_t>(got)});
    for (;;) {
      auto frame = reader.next();
      if (!frame) return lose_host();
      if (!*frame) break;
      if (!take(std::move(**frame))) return;
    }
  }
}

bool Link::take(host::Frame frame) {
  switch (frame.type) {
    case host::FrameType::kPing: send(host::FrameType::kPong, 0, {}); return true;
    case host::FrameType::kCancel: events_.cancel(frame.run); return true;
    case host::FrameType::kCredit: {
      const auto credit = host::unpack<host::CreditMessage>(frame.payload);
      if (!credit) return lose_host(), false;
      events_.credit(frame.run, credit->bytes);
      return true;
    }
    default: break;
  }
  const bool last = frame.type == host::FrameType::kShutdown;
  if (frame.type == host::FrameType::kAnswer) {
    auto answer = host::unpack<host::AnswerMessage>(frame.payload);
    if (!answer) return lose_host(), false;
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_.push_back(std::move(*answer));
  } else {
    const std::lock_guard<std::mutex> lock(mutex_);
    commands_.push_back(std::move(frame));
  }
  arrived_.notify_all();
  return !last;
}

}  // namespace pganalytics::worker
