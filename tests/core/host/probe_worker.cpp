#include "tests/core/host/probe_worker.h"

#include <grp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "core/host/worker_handle.h"
#include "tests/support/catch.h"

namespace pganalytics::host {
namespace {

constexpr const char* kId = "test_probe";

std::string probe_path() { return std::string(TEST_PLUGIN_DIR) + "/" + kId + ".so"; }

// The next frame of that type; nullopt when the worker ends, or takes too long.
std::optional<Frame> wait_for(WorkerHandle& worker, FrameType type) {
  const std::int64_t deadline_ns = clock::now_monotonic_ns() + 20'000'000'000;
  while (clock::now_monotonic_ns() < deadline_ns) {
    auto frame = worker.receive();
    if (!frame) return std::nullopt;
    if (*frame && (*frame)->type == type) return std::move(**frame);
    if (*frame) continue;
    if (worker.closed()) return std::nullopt;
    std::vector<pollfd> fds;
    worker.add_to_poll(fds);
    poll(fds.data(), fds.size(), 100);
    worker.flush();
    worker.output(clock::now_monotonic_ns());
  }
  return std::nullopt;
}

std::string text_in(const std::string& document, const std::string& key) {
  const std::string quoted = "\"" + key + "\":\"";
  const std::size_t found = document.find(quoted);
  if (found == std::string::npos) return "";
  const std::size_t begin = found + quoted.size();
  return document.substr(begin, document.find('"', begin) - begin);
}

}  // namespace

PluginSettings probing(std::uint32_t needs) {
  PluginSettings settings;
  settings.info.id = settings.instance = kId;
  settings.info.path = probe_path();
  settings.info.needs = needs;
  return settings;
}

Probed probe(const PluginSettings& settings, const std::string& what, const std::string& path, long number) {
  auto policy = policy_of(settings);
  if (!policy) return {-1, policy.error().message, {}};
  return probe(std::move(*policy), what, path, number);
}

Probed probe(WorkerPolicy policy, const std::string& what, const std::string& path, long number) {
  Probed result;
  auto worker = WorkerHandle::spawn(WORKER_PATH, kId);
  if (!worker) return {-1, worker.error().message, {}};
  worker->send_message(FrameType::kLoad, 0, load_message(probe_path(), kId, std::move(policy), worker->body().pid()));
  const auto hello_frame = wait_for(*worker, FrameType::kHello);
  const auto hello = hello_frame ? unpack<HelloMessage>(hello_frame->payload) : std::nullopt;
  if (!hello) return {-1, "no hello", {}};
  result.gaps = hello->gaps;
  result.text = hello->verdict.message;
  if (hello->verdict.status != PGA_OK) return result;
  worker->send_message(FrameType::kStart, 0, StartMessage{kId, PGA_LOG_INFO, 65536, 10, 1 << 20, {}});
  worker->send_message(
      FrameType::kConfigure, 0,
      ConfigureMessage{0, R"({"do":")" + what + R"(","path":")" + path + R"(","number":")" + std::to_string(number) + "\"}"});
  worker->send_message(FrameType::kCollect, 1, CollectMessage{0, clock::system_clock().unix_ns(), 0, 10'000'000'000, 1 << 20});
  const auto document = wait_for(*worker, FrameType::kDocument);
  if (!document) {
    result.text = "no document of '" + what + "'";
    return result;
  }
  const std::size_t count = document->payload.find("\"count\":");
  result.code = std::atoi(document->payload.c_str() + count + 8);
  result.text = text_in(document->payload, "text");
  return result;
}

int as_ordinary_user(int (*body)()) {
  if (geteuid() != 0) return body();
  constexpr unsigned kNobody = 65534;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 || setresuid(kNobody, kNobody, kNobody) != 0)
      _exit(99);
    setenv("HOME", "/nonexistent", 1);
    _exit(body());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

}  // namespace pganalytics::host
