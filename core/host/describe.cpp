// describe(): a plugin's descriptor, read in a worker of its own that is gone afterwards. [any thread]
#include <poll.h>

#include <pganalytics/json.hpp>
#include <sstream>

#include "core/clock/clock.h"
#include "core/host/plugin_file.h"
#include "core/host/plugin_info.h"
#include "core/host/sandbox_policy.h"
#include "core/host/worker_handle.h"

namespace pganalytics::host {
namespace {

Error failed(const Candidate& candidate, const std::string& why) {
  return Error{PGA_E_UNSUPPORTED, "plugin.describe", candidate.path + ": " + why,
               "`pganalytics plugin validate " + candidate.path + "` shows how it fails; its vendor wants to know.", 0};
}

std::vector<std::string> split_aliases(const std::string& list) {
  std::vector<std::string> aliases;
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    const std::size_t first = name.find_first_not_of(' ');
    if (first != std::string::npos) aliases.push_back(name.substr(first, name.find_last_not_of(' ') - first + 1));
  }
  return aliases;
}

// The worker's first frame, or why there is none.
Expected<HelloMessage> hello_of(const Candidate& candidate, WorkerHandle& worker, std::int64_t timeout_ms) {
  worker.send_message(FrameType::kLoad, 0,
                      load_message(candidate.path, candidate.id, strictest_policy(candidate.path), worker.body().pid()));
  const std::int64_t deadline_ns = clock::now_monotonic_ns() + timeout_ms * 1'000'000;
  for (;;) {
    PGA_TRY(const auto frame, worker.receive());
    // A plugin may log while it is loaded; that is for the run of the collector, not for this.
    if (frame && frame->type == FrameType::kHello) {
      auto hello = unpack<HelloMessage>(frame->payload);
      if (!hello) return failed(candidate, "the worker's answer is malformed");
      return std::move(*hello);
    }
    if (frame) continue;
    if (worker.closed()) return failed(candidate, "it ended the worker while being loaded");
    const std::int64_t left_ms = (deadline_ns - clock::now_monotonic_ns()) / 1'000'000;
    if (left_ms <= 0) return failed(candidate, "it took longer than " + std::to_string(timeout_ms) + " ms to load");
    std::vector<pollfd> fds;
    worker.add_to_poll(fds);
    poll(fds.data(), fds.size(), static_cast<int>(left_ms));
    worker.flush();
    worker.output(clock::now_monotonic_ns());  // a pipe nobody empties would stop it
  }
}

}  // namespace

Expected<PluginInfo> describe(const Candidate& candidate, const std::string& worker_path, std::int64_t timeout_ms) {
  if (candidate.refused) return *candidate.refused;
  PGA_TRY(const PluginFile file, read_plugin_file(candidate.path));
  PGA_TRY(WorkerHandle worker, WorkerHandle::spawn(worker_path, candidate.id));
  PGA_TRY(HelloMessage hello, hello_of(candidate, worker, timeout_ms));
  if (hello.verdict.status != PGA_OK) {
    return Error{hello.verdict.status, hello.verdict.code, candidate.path + ": " + hello.verdict.message,
                 std::move(hello.verdict.hint), 0};
  }
  for (const std::string* text :
       {&hello.info.version, &hello.info.vendor, &hello.info.description, &hello.info.license, &hello.info.url, &hello.aliases}) {
    if (is_utf8(*text)) continue;
    Error error = failed(candidate, "a text of its descriptor is not UTF-8");
    error.code = "plugin.table";
    return error;
  }
  if (hello.info.id != candidate.id) return failed(candidate, "it calls itself \"" + hello.info.id + "\"");
  PluginInfo info = std::move(hello.info);
  info.aliases = split_aliases(hello.aliases);
  info.path = candidate.path;
  info.build_id = build_id_of(file);
  return info;
}

}  // namespace pganalytics::host
