// The control socket with real clients: what they are answered, and what they cannot do to the loop.
#include "core/collector/control_socket.h"

#include "core/collector/control_client.h"
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace pganalytics;
using namespace pganalytics::collector;
using Catch::Contains;
using testing::must;

namespace {

class HandClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return now_ns; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return now_ns; }
  std::atomic<std::int64_t> now_ns{1'000'000'000};
};

Expected<std::string> pid_or_unknown(const ControlRequest& request) {
  if (request.command == ControlRequest::Command::kStatus) return std::string(R"({"pid":7})");
  return Error{PGA_E_NOTFOUND, "plugin.unknown", "there is no " + request.plugin, "", 0};
}

// The loop of a collector that does nothing else.
class Loop {
 public:
  explicit Loop(const std::string& path, ControlSocket::Handler handler = pid_or_unknown)
      : socket_(must(ControlSocket::open(path, -1, clock))), handler_(std::move(handler)), thread_([this] { turn(); }) {}
  ~Loop() {
    stop_ = true;
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  HandClock clock;

 private:
  void turn() {
    while (!stop_) {
      pollfd fd{socket_->fd(), POLLIN, 0};
      ::poll(&fd, 1, 5);
      socket_->turn(handler_);
    }
  }
  std::unique_ptr<ControlSocket> socket_;
  ControlSocket::Handler handler_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// A client that knows no manners.
class Rude {
 public:
  explicit Rude(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = address_of(path);
    connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Rude(Rude&& other) noexcept : connected(other.connected), fd_(std::exchange(other.fd_, -1)) {}
  ~Rude() {
    if (fd_ >= 0) ::close(fd_);
  }
  void say(const std::string& text) const {
    [[maybe_unused]] const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  [[nodiscard]] std::string hear() const {  // until the end
    std::string text;
    char block[4096];
    for (ssize_t got = 0; (got = ::recv(fd_, block, sizeof block, 0)) > 0;) text.append(block, static_cast<std::size_t>(got));
    return text;
  }
  bool connected = false;

 private:
  int fd_;
};

}  // namespace

TEST_CASE("who asks is answered") {
  const testing::TemporaryFolder folder;
  const Loop loop(folder / "s");
  const auto status = ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""});
  REQUIRE(status);
  CHECK((*status)["pid"] == 7);
  const auto release = ask_collector(folder / "s", {ControlRequest::Command::kRelease, "x1"});
  REQUIRE_FALSE(release);
  CHECK(release.error().code == "plugin.unknown");
  CHECK(release.error().message == "there is no x1");
}

TEST_CASE("the socket is closed to others, and its file goes with it") {
  const testing::TemporaryFolder folder;
  const mode_t before = ::umask(0);
  {
    const auto socket = must(ControlSocket::open(folder / "s", -1));
    struct stat file {};
    REQUIRE(::stat((folder / "s").c_str(), &file) == 0);
    CHECK((file.st_mode & 07777) == 0600);
  }
  ::umask(before);
  CHECK(::access((folder / "s").c_str(), F_OK) != 0);
}

TEST_CASE("an answer far larger than a socket's buffer arrives whole") {
  const testing::TemporaryFolder folder;
  const std::string large = "\"" + std::string(3 << 20, 'x') + "\"";
  const Loop loop(folder / "s", [&](const ControlRequest&) { return Expected<std::string>(large); });
  const auto answer = ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""}, 20'000);
  REQUIRE(answer);
  CHECK(answer->GetStringLength() == 3u << 20);
}

TEST_CASE("a request may come in pieces, and one that is no request is told so") {
  const testing::TemporaryFolder folder;
  const Loop loop(folder / "s");
  const Rude slow(folder / "s");
  for (const char c : std::string("{\"command\":\"status\"}\n")) slow.say({c});
  CHECK(slow.hear() == "{\"result\":{\"pid\":7}}\n");
  const Rude odd(folder / "s");
  odd.say("GET / HTTP/1.1\r\n\r\n");
  CHECK_THAT(odd.hear(), Contains("control.malformed"));
  const Rude endless(folder / "s");
  endless.say(std::string(5000, ' '));
  CHECK_THAT(endless.hear(), Contains("control.limit"));
}

TEST_CASE("one who says nothing, or reads nothing, is given up after five seconds and others are served meanwhile") {
  const testing::TemporaryFolder folder;
  const std::string large = "\"" + std::string(4 << 20, 'x') + "\"";
  Loop loop(folder / "s", [&](const ControlRequest& request) {
    return request.command == ControlRequest::Command::kRelease ? Expected<std::string>(large) : pid_or_unknown(request);
  });
  const Rude silent(folder / "s");
  const Rude deaf(folder / "s");
  deaf.say("{\"command\":\"release\",\"plugin\":\"x1\"}\n");
  REQUIRE(ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""}));
  loop.clock.now_ns += 6'000'000'000;
  CHECK(silent.hear().empty());
  CHECK(deaf.hear().size() < large.size());
}

TEST_CASE("more than sixteen at once are turned away, and the next is served when one has gone") {
  const testing::TemporaryFolder folder;
  const Loop loop(folder / "s");
  std::vector<Rude> crowd;
  crowd.reserve(16);
  for (int i = 0; i < 16; ++i) crowd.emplace_back(folder / "s");
  const auto refused = ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "control.busy");
  crowd.pop_back();
  CHECK(testing::eventually([&] {
    return static_cast<bool>(ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""}));
  }));
}

TEST_CASE("another user is told no, even when the file would let him in") {
  if (::geteuid() != 0) return;  // only root can become somebody else
  const testing::TemporaryFolder folder;
  const Loop loop(folder / "s");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  const auto as_nobody = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(9);
      const auto answer = ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""});
      ::_exit(answer                                    ? 0
              : answer.error().code == "control.denied" ? (answer.error().message.find("root") == std::string::npos ? 1 : 2)
                                                        : 3);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  CHECK(as_nobody() == 1);  // by the file's mode
  REQUIRE(::chmod((folder / "s").c_str(), 0666) == 0);
  CHECK(as_nobody() == 2);  // by the kernel's word who he is
}

TEST_CASE("the socket of a killed collector is replaced, anything else at its path is not") {
  const testing::TemporaryFolder folder;
  const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(folder / "s");
  REQUIRE(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(stale);  // the file stays, as after SIGKILL
  const auto absent = ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""});
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == "control.absent");
  {
    const auto socket = must(ControlSocket::open(folder / "s", -1));
    const auto second = ControlSocket::open(folder / "s", -1);
    REQUIRE_FALSE(second);
    CHECK(second.error().status == PGA_E_CONFIG);
    CHECK_THAT(second.error().message, Contains("another collector"));
  }
  collector_test::write_text(folder / "file", "keep me");
  const auto taken = ControlSocket::open(folder / "file", -1);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == "control.taken");
  CHECK(collector_test::read_text(folder / "file") == "keep me");
}

TEST_CASE("a path that the kernel cannot take is refused with what to do") {
  const std::string path = "/tmp/" + std::string(200, 'x');
  const auto socket = ControlSocket::open(path, -1);
  REQUIRE_FALSE(socket);
  CHECK(socket.error().status == PGA_E_CONFIG);
  CHECK_THAT(socket.error().message, Contains("205") && Contains("107"));
  CHECK_THAT(socket.error().hint, Contains("control_socket"));
  CHECK_FALSE(ask_collector(path, {ControlRequest::Command::kStatus, ""}));
}

TEST_CASE("a collector that does not answer is given up in time") {
  const testing::TemporaryFolder folder;
  const auto socket = must(ControlSocket::open(folder / "s", -1));  // and nobody turns it
  const auto answer = ask_collector(folder / "s", {ControlRequest::Command::kStatus, ""}, 50);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == "control.silent");
}

TEST_CASE("the loop's other events wake it through the socket's descriptor") {
  const testing::TemporaryFolder folder;
  const host::Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const auto socket = must(ControlSocket::open(folder / "s", wake.get()));
  pollfd fd{socket->fd(), POLLIN, 0};
  CHECK(::poll(&fd, 1, 0) == 0);
  const std::uint64_t one = 1;
  REQUIRE(::write(wake.get(), &one, sizeof one) == sizeof one);
  CHECK(::poll(&fd, 1, 0) == 1);
  socket->turn(pid_or_unknown);  // not its business: the owner clears it
  CHECK(::poll(&fd, 1, 0) == 1);
}
