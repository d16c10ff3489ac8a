#include "core/collector/control_client.h"

#include "core/clock/clock.h"
#include "core/collector/control_address.h"
#include "core/host/process.h"

#include <poll.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pganalytics::collector {
namespace {

class Conversation {
 public:
  Conversation(std::string path, std::int64_t timeout_ms)
      : path_(std::move(path)), deadline_ns_(clock::now_monotonic_ns() + timeout_ms * kNsPerMs) {}

  Outcome connect() {
    PGA_TRY(const sockaddr_un address, control_address(path_));
    socket_ = host::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket_.get() < 0) return failed("make a socket for");
    for (;;) {
      if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
      // A full queue of askers gives no event to wait for.
      if (errno != EAGAIN && errno != EINTR) return failed("reach");
      if (left_ms() <= 0) return silent();
      constexpr int kPauseMs = 20;
      ::poll(nullptr, 0, kPauseMs);
    }
  }

  Outcome send(const std::string& line) {
    for (std::size_t at = 0; at < line.size();) {
      const ssize_t sent = ::send(socket_.get(), line.data() + at, line.size() - at, MSG_NOSIGNAL);
      if (sent > 0) at += static_cast<std::size_t>(sent);
      if (sent > 0 || errno == EINTR) continue;
      // It turned us away before it read: the reason is waiting.
      if (errno == EPIPE || errno == ECONNRESET) return {};
      if (errno != EAGAIN) return failed("ask");
      PGA_CHECK(wait_for(POLLOUT));
    }
    return {};
  }

  // A line, or what there is of it at the other side's end.
  Expected<std::string> receive() {
    std::string received;
    char block[16 * 1024];
    for (;;) {
      const ssize_t got = ::recv(socket_.get(), block, sizeof block, 0);
      // Reset: it went without reading all that we sent.
      if (got == 0 || (got < 0 && errno == ECONNRESET)) return received;
      if (got > 0) received.append(block, static_cast<std::size_t>(got));
      if (!received.empty() && received.back() == '\n') return received;
      if (received.size() > kControlAnswerBytesMax) {
        return Error{PGA_E_LIMIT, "control.answer", "the answer from " + path_ + " is too long", "", 0};
      }
      if (got > 0 || errno == EINTR) continue;
      if (errno != EAGAIN) return failed("hear");
      PGA_CHECK(wait_for(POLLIN));
    }
  }

 private:
  static constexpr std::int64_t kNsPerMs = 1'000'000;

  [[nodiscard]] std::int64_t left_ms() const { return (deadline_ns_ - clock::now_monotonic_ns()) / kNsPerMs; }

  Outcome wait_for(short event) {
    const std::int64_t left = left_ms();
    pollfd fd{socket_.get(), event, 0};
    if (left <= 0 || ::poll(&fd, 1, static_cast<int>(left)) == 0) return silent();
    return {};
  }

  [[nodiscard]] Error silent() const {
    return {PGA_E_DEADLINE, "control.silent", "the collector at " + path_ + " does not answer in time",
            "It may be busy loading plugins; ask again, and look at its log if that does not help.", 0};
  }

  [[nodiscard]] Error failed(const char* what) const {
    const int number = errno;
    const std::string message = std::string("unable to ") + what + " the collector at " + path_ + ": " + std::strerror(number);
    if (number == ENOENT || number == ECONNREFUSED) {
      return {PGA_E_NOTFOUND, "control.absent", message, "Is it running, with this configuration?", 0};
    }
    if (number == EACCES || number == EPERM) {
      return {PGA_E_DENIED, "control.denied", message, "Ask as root or as the collector's own user.", 0};
    }
    return {PGA_E_FAIL, "control.socket", message, "", 0};
  }

  std::string path_;
  std::int64_t deadline_ns_;
  host::Descriptor socket_;
};

}  // namespace

Expected<rapidjson::Document> ask_collector(const std::string& path, const ControlRequest& request, std::int64_t timeout_ms) {
  Conversation conversation(path, timeout_ms);
  PGA_CHECK(conversation.connect());
  PGA_CHECK(conversation.send(to_line(request)));
  PGA_TRY(const std::string line, conversation.receive());
  return parse_answer(line);
}

}  // namespace pganalytics::collector
