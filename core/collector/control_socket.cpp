#include "core/collector/control_socket.h"

#include "core/collector/control_address.h"
#include "core/log/log.h"

#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace pganalytics::collector {
namespace {

constexpr std::size_t kClientsMax = 16;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kClientNs = 5'000 * kNsPerMs;

Error failure(const std::string& path, const std::string& what) {
  return {PGA_E_FAIL, "control.socket", "unable to " + what + " the control socket " + path + ": " + std::strerror(errno),
          "Check that its folder may be written, or move it with [collector] control_socket.", 0};
}

host::Descriptor new_socket() { return host::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

// A socket that nobody listens at is removed. The state folder's lock is ours by now: what answers in another folder is another
// collector's.
Outcome make_room(const std::string& path, const sockaddr_un& address) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) {
    return errno == ENOENT ? Outcome() : Outcome(failure(path, "examine"));
  }
  if (!S_ISSOCK(there.st_mode)) {
    return Error{PGA_E_CONFIG, "control.taken", "the control socket's path " + path + " is taken by something else",
                 "Remove it, or give another one as [collector] control_socket.", 0};
  }
  const host::Descriptor probe = new_socket();
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN) {
    return Error{PGA_E_CONFIG, "control.taken", "another collector listens at the control socket " + path,
                 "Give each its own [collector] control_socket, or none: then it lies in the state folder.", 0};
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failure(path, "replace");
  return {};
}

Expected<host::Descriptor> listen_at(const std::string& path, const sockaddr_un& address) {
  host::Descriptor listener = new_socket();
  if (listener.get() < 0) return failure(path, "make");
  // On the descriptor and before bind(): at no moment is it open to others.
  if (::fchmod(listener.get(), S_IRUSR | S_IWUSR) != 0) return failure(path, "close to others");
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return failure(path, "make");
  if (::listen(listener.get(), kClientsMax) != 0) return failure(path, "listen at");
  return listener;
}

bool watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

// nullopt: it is gone, or /proc does not tell.
std::optional<pid_t> parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');  // a name may hold anything
  char state = 0;
  pid_t parent = 0;
  if (name_end == std::string::npos || !(std::istringstream(text.substr(name_end + 1)) >> state >> parent)) return std::nullopt;
  return parent;
}

// A plugin's worker, or what it started: it runs as our user, and one that may connect to sockets would be the operator here. Who
// is gone before we looked is counted among them.
bool is_descendant(pid_t process) {
  for (;;) {
    const auto parent = parent_of(process);
    if (!parent || *parent == ::getpid()) return true;
    if (*parent <= 1) return false;
    process = *parent;
  }
}

bool may_ask(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() ? !is_descendant(peer.pid) : peer.uid == 0;
}

// A line to somebody who is not served. It fits an empty socket's buffer; if not, it is no loss of ours.
void turn_away(const host::Descriptor& socket, const Error& why) {
  const std::string line = error_line(why);
  [[maybe_unused]] const ssize_t sent = ::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

std::string respond(std::string_view line, const ControlSocket::Handler& handler) {
  auto request = parse_request(line);
  if (!request) return error_line(request.error());
  auto result = handler(*request);
  return result ? answer_line(*result) : error_line(result.error());
}

}  // namespace

Expected<std::unique_ptr<ControlSocket>> ControlSocket::open(const std::string& path, int wake_fd, const clock::Clock& clock) {
  PGA_TRY(const sockaddr_un address, control_address(path));
  PGA_CHECK(make_room(path, address));
  PGA_TRY(host::Descriptor listener, listen_at(path, address));
  host::Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (epoll.get() < 0 || !watch(epoll.get(), listener.get()) || (wake_fd >= 0 && !watch(epoll.get(), wake_fd))) {
    const Error failed = failure(path, "wait at");
    ::unlink(path.c_str());
    return failed;
  }
  return std::unique_ptr<ControlSocket>(new ControlSocket(path, std::move(listener), std::move(epoll), clock));
}

ControlSocket::~ControlSocket() { ::unlink(path_.c_str()); }

void ControlSocket::turn(const Handler& handler) {
  std::array<epoll_event, kClientsMax + 2> events{};
  const int ready = ::epoll_wait(fd(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < ready; ++i) {
    const int which = events[static_cast<std::size_t>(i)].data.fd;
    if (which == listener_.get()) {
      accept_clients();
    } else if (const auto client = clients_.find(which); client != clients_.end() && !serve(client->second, handler)) {
      clients_.erase(client);
    }
  }
  give_up_slow_ones();
}

void ControlSocket::accept_clients() {
  for (;;) {
    host::Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.get() < 0) return;
    if (!may_ask(socket.get())) {
      turn_away(socket, {PGA_E_DENIED, "control.denied",
                         "the collector answers root and its own user only, and none of its plugins", "", 0});
    } else if (clients_.size() >= kClientsMax) {
      turn_away(socket, {PGA_E_TRANSIENT, "control.busy", "the collector has too many askers at once", "Ask again.", 0});
    } else if (watch(fd(), socket.get())) {
      const int number = socket.get();
      clients_.emplace(number, Client{std::move(socket), "", "", clock_.monotonic_ns() + kClientNs});
    }
  }
}

bool ControlSocket::serve(Client& client, const Handler& handler) {
  if (!client.unsent.empty()) return send_rest(client);
  std::array<char, kControlRequestBytesMax> block{};
  const ssize_t got = ::recv(client.socket.get(), block.data(), block.size() - client.received.size(), 0);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  client.received.append(block.data(), static_cast<std::size_t>(got));
  const std::size_t end = client.received.find('\n');
  if (end != std::string::npos) {
    client.unsent = respond(std::string_view(client.received).substr(0, end), handler);
  } else if (client.received.size() >= kControlRequestBytesMax) {
    client.unsent = error_line({PGA_E_LIMIT, "control.limit",
                                "a control request is longer than " + std::to_string(kControlRequestBytesMax) + " bytes", "", 0});
  } else {
    return true;
  }
  return send_rest(client);
}

bool ControlSocket::send_rest(Client& client) {
  const int socket = client.socket.get();
  const ssize_t sent = ::send(socket, client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) return false;
  } else {
    client.unsent.erase(0, static_cast<std::size_t>(sent));
  }
  if (client.unsent.empty()) return false;
  epoll_event event{};
  event.events = EPOLLOUT;
  event.data.fd = socket;
  return ::epoll_ctl(fd(), EPOLL_CTL_MOD, socket, &event) == 0;
}

void ControlSocket::give_up_slow_ones() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  for (auto client = clients_.begin(); client != clients_.end();) {
    client = client->second.deadline_ns <= now_ns ? clients_.erase(client) : std::next(client);
  }
}

std::int64_t ControlSocket::wait_ms(std::int64_t longest_ms) const {
  for (const auto& [number, client] : clients_) {
    const std::int64_t left_ms = (client.deadline_ns - clock_.monotonic_ns()) / kNsPerMs + 1;
    longest_ms = std::min(longest_ms, std::max<std::int64_t>(left_ms, 0));
  }
  return longest_ms;
}

}  // namespace pganalytics::collector
