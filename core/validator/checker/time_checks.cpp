#include "core/validator/checker/time_checks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "core/clock/clock.h"
#include "core/host/document.h"
#include "core/validator/checker/documents.h"
#include "core/validator/checker/stage.h"

namespace pganalytics::validator {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kGrace{2'000};  // as the host grants it between its cancel and SIGABRT
constexpr int kCancels = 200;
constexpr std::int64_t kCancelsNs = 5'000'000'000;

std::string in_ms(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(time).count()) + " ms";
}

// A server that takes connections and never says a word. After a while it hangs up, so that even the most patient plugin returns.
class SilentServer {
 public:
  explicit SilentServer(std::chrono::nanoseconds patience)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), stop_(eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(socket_, 16) != 0 ||
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw CannotCheck{Finding::skip("no server can be opened on the loopback interface")};
    }
    port_ = ntohs(address.sin_port);
    // Connections wait in the backlog: nobody accepts them.
    hanging_up_ = std::thread([this, patience] {
      pollfd stopped{stop_, POLLIN, 0};
      poll(&stopped, 1, static_cast<int>(std::chrono::duration_cast<milliseconds>(patience).count()));
      close(socket_);
    });
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(stop_, &one, sizeof one);  // its counter is far from full
    hanging_up_.join();
    close(stop_);
  }

  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  int socket_, stop_;
  std::uint16_t port_ = 0;
  std::thread hanging_up_;
};

}  // namespace

Finding check_deadline(Subject& subject) {
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  for (const milliseconds timeout : {milliseconds(0), milliseconds(-5'000), milliseconds(10)}) {
    testing::CollectOptions options;
    options.timeout = timeout;
    const testing::CollectResult run = stage.collect(instance, options);
    if (run.took > kGrace) {
      return Finding::fail("with its deadline " + (timeout.count() > 0 ? in_ms(timeout) + " ahead" : "past") +
                           ", it went on for " + in_ms(run.took));
    }
  }
  stage.collect_well(instance);
  return Finding::pass();
}

Finding check_cancel(Subject& subject) {
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  const std::chrono::nanoseconds usual = std::max(stage.collect_well(instance).took, std::chrono::nanoseconds(50'000));
  std::mt19937_64 random(20'26);  // the same moments each time, as far as the machine goes along
  std::uniform_int_distribution<std::int64_t> moment(0, usual.count() * 3 / 2);
  const std::int64_t end_ns = clock::now_monotonic_ns() + kCancelsNs;
  int cancels = 0;
  for (; cancels < kCancels && clock::now_monotonic_ns() < end_ns; ++cancels) {
    testing::CollectOptions options;
    options.cancel_after = std::chrono::nanoseconds(moment(random));
    const testing::CollectResult run = stage.collect(instance, options);
    if (run.cancelled && run.after_cancel > kGrace)
      return Finding::fail("it went on for " + in_ms(run.after_cancel) + " after the cancel");
  }
  now_at("cancel(), twice, between two runs");
  instance.cancel();
  instance.cancel();
  stage.collect(instance);
  for (const std::string& violation : stage.host.violations) {
    if (violation.find("cancel_fd") != std::string::npos) return Finding::fail(violation);
  }
  stage.collect_well(instance);
  return Finding::pass(std::to_string(cancels) + " cancels");
}

Finding check_silent_target(Subject& subject) {
  Stage stage(subject);
  constexpr milliseconds kTimeout{500};
  const SilentServer server(kTimeout + kGrace + milliseconds(1'500));
  std::vector<Configuration> silent = stage.configurations.with_format("host-port", "127.0.0.1:" + server.port());
  for (Configuration& more :
       stage.configurations.with_format("conninfo", "host=127.0.0.1 port=" + server.port() +
                                                        " user=nobody dbname=postgres sslmode=disable gssencmode=disable")) {
    silent.push_back(std::move(more));
  }
  if (silent.empty()) return Finding::skip("its configuration names no server (\"format\": \"host-port\" or \"conninfo\")");
  testing::CollectOptions options;
  options.timeout = kTimeout;
  for (const Configuration& configuration : silent) {
    testing::Instance instance = stage.create();
    if (!stage.try_configure(instance, configuration.json)) continue;  // it may connect here, too
    const testing::CollectResult run = stage.collect(instance, options);
    if (run.took > kTimeout + kGrace) {
      return Finding::fail("with a server that does not answer and a deadline of " + in_ms(kTimeout) + ", it went on for " +
                           in_ms(run.took));
    }
  }
  return Finding::pass();
}

Finding check_clock_jumps(Subject& subject) {
  Stage stage(subject);
  const pga_descriptor& descriptor = *subject.plugin()->descriptor;
  const schema::Schema schema = output_schema_of(descriptor.output_schema);
  testing::Instance instance = stage.create_configured();
  constexpr std::int64_t kSecond = 1'000'000'000, kHour = 3'600 * kSecond;
  std::int64_t unix_ns = clock::now_unix_ns();
  for (const std::int64_t jump : {std::int64_t{0}, 10 * kSecond, -kHour, std::int64_t{0}, 24 * 365 * kHour, -48 * 365 * kHour}) {
    unix_ns += jump;
    testing::CollectOptions options;
    options.scheduled_unix_ns = unix_ns;
    const testing::CollectResult run = stage.collect(instance, options);
    const std::string when = "with a clock that went " + std::to_string(jump / kSecond) + " s, ";
    if (run.returned != PGA_OK) return Finding::fail(when + words_for("collect()", run.returned, run.error_message));
    for (const std::string& document : run.documents) {
      if (const Outcome good = host::check_document(document, descriptor.id, schema); !good)
        return Finding::fail(when + good.error().message);
    }
  }
  return Finding::pass();
}

}  // namespace pganalytics::validator
