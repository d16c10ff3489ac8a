#include "core/server/program/service_manager.h"

#include "core/clock/clock.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

using namespace pganalytics;
using pganalytics::server::program::ServiceManager;

namespace {

// The service manager's end. address: "/path" or "@abstract", as sd_notify(3) has it.
class Notices {
 public:
  explicit Notices(const std::string& address) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    REQUIRE(address.size() < sizeof name.sun_path);
    std::memcpy(name.sun_path, address.data(), address.size());
    if (address.front() == '@') name.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&name), size) == 0);
    ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
  }
  ~Notices() {
    ::close(socket_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  Notices(const Notices&) = delete;
  Notices& operator=(const Notices&) = delete;

  // The next datagram; nullopt: none is there.
  std::optional<std::string> next() {
    std::array<char, 4096> text{};
    const ssize_t size = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  int socket_;
};

std::string abstract_address() { return "@pganalytics-test-" + std::to_string(::getpid()); }

}  // namespace

TEST_CASE("the service manager hears of each step, on a path or an abstract address") {
  const testing::TemporaryFolder folder;
  for (const std::string& address : {folder.path() + "/notify", abstract_address()}) {
    CAPTURE(address);
    Notices notices(address);
    ServiceManager manager;
    manager.starting("Opening", 600);
    CHECK(notices.next() == "EXTEND_TIMEOUT_USEC=600000000\nSTATUS=Opening\n");
    manager.ready("Serving");
    CHECK(notices.next() == "READY=1\nSTATUS=Serving\n");
    const std::int64_t before_us = clock::now_monotonic_ns() / 1'000;
    manager.reloading();
    const std::string reloading = notices.next().value();
    const std::string begin = "RELOADING=1\nMONOTONIC_USEC=";
    REQUIRE(reloading.substr(0, begin.size()) == begin);
    CHECK(std::stoll(reloading.substr(begin.size())) >= before_us);
    CHECK(std::stoll(reloading.substr(begin.size())) <= clock::now_monotonic_ns() / 1'000);
    manager.stopping(60);
    CHECK(notices.next() == "STOPPING=1\nSTATUS=Answering what is in flight\nEXTEND_TIMEOUT_USEC=60000000\n");
    manager.turned();
    CHECK(notices.next() == std::nullopt);  // no watchdog was asked for
  }
}

TEST_CASE("the watchdog is fed at a third of its time, and only this process feeds it") {
  Notices notices(abstract_address());
  ::setenv("WATCHDOG_USEC", "300000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  ServiceManager manager;
  manager.turned();
  CHECK(notices.next() == "WATCHDOG=1\n");
  const std::int64_t fed_ns = clock::now_monotonic_ns();
  manager.turned();
  if (clock::now_monotonic_ns() - fed_ns < 50'000'000) CHECK(notices.next() == std::nullopt);
  CHECK(testing::eventually([&] {
    manager.turned();
    return notices.next() == "WATCHDOG=1\n";
  }));
  ::setenv("NOTIFY_SOCKET", abstract_address().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "300000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  ServiceManager of_another;
  of_another.turned();
  CHECK(notices.next() == std::nullopt);
}

TEST_CASE("a service manager that does not read holds nobody up") {
  constexpr int kMostQueued = 1'000;  // net.unix.max_dgram_qlen is 10 to 512
  Notices notices(abstract_address());
  ServiceManager manager;
  const auto send_until_it_waits = [&] {
    for (int sent = 0; sent < kMostQueued; ++sent) {
      const std::int64_t begun_ns = clock::now_monotonic_ns();
      manager.ready("Serving");
      if (clock::now_monotonic_ns() - begun_ns > 500'000'000) return true;
    }
    return false;
  };
  CHECK(send_until_it_waits());  // and it came back
  CHECK(notices.next().has_value());
}

TEST_CASE("a watchdog's time that is none feeds nothing") {
  for (const char* time : {"", "0", "-5", "soon"}) {
    Notices notices(abstract_address());
    ::setenv("WATCHDOG_USEC", time, 1);
    ServiceManager manager;
    manager.turned();
    CHECK(notices.next() == std::nullopt);
  }
}

TEST_CASE("no child can speak in our name, and without a service manager nothing happens") {
  {
    Notices notices(abstract_address());
    ::setenv("WATCHDOG_USEC", "300000", 1);
    ServiceManager manager;
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) CHECK(std::getenv(name) == nullptr);
  }
  for (const std::string& address : {std::string("/nobody/listens/here"), std::string("vsock:2:1"), std::string(300, '/')}) {
    ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
    ServiceManager told_to_nobody;
    told_to_nobody.ready("Serving");
  }
  ServiceManager none;
  none.ready("Serving");
}
