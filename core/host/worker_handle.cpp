#include "core/host/worker_handle.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "core/host/worker_thread.h"

namespace pganalytics::host {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kUnsentBytesMax = 2u << 20;

Error failed_to(const char* what) {
  return Error{PGA_E_FAIL, "worker.spawn", std::string("cannot ") + what + ": " + std::strerror(errno), "", 0};
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

Expected<WorkerHandle> WorkerHandle::spawn(const std::string& worker_path, const std::string& name) {
  int sockets[2], pipes[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return failed_to("make a socket for a worker");
  Descriptor ours(sockets[0]), theirs(sockets[1]);
  if (pipe2(pipes, O_CLOEXEC) != 0) return failed_to("make a pipe for a worker");
  Descriptor output(pipes[0]), printing(pipes[1]);
  // Only our ends are non-blocking; for the worker a full socket is back-pressure.
  if (fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0 || fcntl(output.get(), F_SETFL, O_NONBLOCK) != 0)
    return failed_to("set up a worker's socket");
  PGA_TRY(Process process, Process::spawn(worker_path, name, theirs.get(), printing.get()));
  return WorkerHandle(std::make_unique<Process>(std::move(process)), std::move(ours), std::move(output));
}

Expected<WorkerHandle> WorkerHandle::start_thread(const std::string& name) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return failed_to("make a socket for a worker");
  Descriptor ours(sockets[0]), theirs(sockets[1]);
  if (fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) return failed_to("set up a worker's socket");
  PGA_TRY(auto thread, WorkerThread::start(name, std::move(theirs)));
  return WorkerHandle(std::move(thread), std::move(ours), Descriptor());  // it prints where the host does
}

void WorkerHandle::send(FrameType type, std::uint64_t run, std::string_view payload) {
  if (closed_) return;
  unsent_ += encode_frame(type, run, payload);
  flush();
}

void WorkerHandle::flush() {
  std::size_t sent = 0;
  while (sent < unsent_.size() && !closed_) {
    const ssize_t now = ::send(socket_.get(), unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && would_block()) break;
    if (now < 0) break;  // it is gone; its last frames are still to be read, and then the end is seen there
    sent += static_cast<std::size_t>(now);
  }
  unsent_.erase(0, sent);
}

Expected<std::optional<Frame>> WorkerHandle::receive() {
  for (;;) {
    PGA_TRY(auto frame, reader_.next());
    if (frame && frame->type != FrameType::kDocument) frames_.take(1);
    if (frame || !fill()) return frame;
  }
}

bool WorkerHandle::fill() {
  if (closed_) return false;
  char buffer[kReadBytes];
  const ssize_t got = recv(socket_.get(), buffer, sizeof buffer, 0);
  if (got > 0) {
    reader_.feed({buffer, static_cast<std::size_t>(got)});
    return true;
  }
  closed_ = got == 0 || !would_block();
  return false;
}

bool WorkerHandle::patient(std::int64_t now_ns) {
  // Answers that it does not fetch are its own fault too.
  deaf_ = !frames_.open(now_ns) || unsent_.size() > kUnsentBytesMax;
  return !deaf_;
}

std::int64_t WorkerHandle::listens_ns() const {
  std::int64_t listens_ns = std::numeric_limits<std::int64_t>::max();
  if (deaf_ && unsent_.size() <= kUnsentBytesMax) listens_ns = frames_.opens_ns();
  if (output_deaf_ && !output_closed_) listens_ns = std::min(listens_ns, output_bytes_.opens_ns());
  return listens_ns;
}

std::string WorkerHandle::output(std::int64_t now_ns) {
  constexpr std::size_t kOutputBytesMax = 256 * 1024;  // per call, so that a worker that floods cannot hold the host
  std::string text;
  char buffer[kReadBytes];
  while (!output_closed_ && text.size() < kOutputBytesMax && output_bytes_.open(now_ns)) {
    const ssize_t got = read(output_.get(), buffer, sizeof buffer);
    if (got > 0) {
      output_bytes_.take(static_cast<double>(got));
      text.append(buffer, static_cast<std::size_t>(got));
      continue;
    }
    if (got == 0 || !would_block()) output_closed_ = true;
    break;
  }
  output_deaf_ = !output_bytes_.open(now_ns);
  return text;
}

void WorkerHandle::add_to_poll(std::vector<pollfd>& fds) const {
  const auto events = static_cast<short>((deaf_ ? 0 : POLLIN) | (unsent_.empty() ? 0 : POLLOUT));
  if (!closed_ && events != 0) fds.push_back({socket_.get(), events, 0});
  if (!output_closed_ && !output_deaf_) fds.push_back({output_.get(), POLLIN, 0});
}

}  // namespace pganalytics::host
