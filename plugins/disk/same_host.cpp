#include "plugins/disk/same_host.h"

#include <unistd.h>

#include <cmath>
#include <optional>
#include <pganalytics/text.hpp>

#include "plugins/disk/gap.h"
#include "plugins/disk/mounts.h"

namespace pganalytics::disk {
namespace {

constexpr std::size_t kStatMaxBytes = 4096;
constexpr std::size_t kTitleMaxBytes = 1 << 20;
constexpr std::size_t kMountsMaxBytes = 16 << 20;
// Between the server's look at its clock and ours lies a round trip on one host.
constexpr double kAgeTolerance = 2;

// Device and directory that a process has as "/", by its mountinfo, which anybody may read; nullopt: it cannot be told.
std::optional<std::string> root_of(const std::string& process) {
  const auto text = read_text(process + "/mountinfo", kMountsMaxBytes);
  if (!text) return std::nullopt;
  std::optional<std::string> root;
  Gaps told_elsewhere;  // each run reads our own for itself
  for (const Mount& mount : parse_mounts(*text, told_elsewhere)) {
    if (mount.mount_point == "/") root = mount.device_number + " " + mount.root;  // the last one covers the others
  }
  return root;
}

Error elsewhere(const Backend& backend, const std::string& why) {
  return {PGA_E_UNSUPPORTED, "disk.elsewhere",
          "the server is not on this host: it serves us with process " + std::to_string(backend.pid) + ", and " + why,
          "Run the collector where the server runs, name its places in directories, or take conninfo out. If they are on one "
          "host: a container has paths of its own, and proc mounted with hidepid shows no processes.",
          0};
}

}  // namespace

// "PID (postgres) S ..." with starttime as field 22.
std::optional<double> start_of_postgres(std::string_view stat) {
  constexpr int kFieldsToStart = 22 - 2;
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  const std::string_view command = stat.substr(open + 1, close - open - 1);
  if (command != "postgres" && command != "postmaster") return std::nullopt;
  std::string_view rest = stat.substr(close + 1);
  std::string_view word;
  for (int field = 0; field < kFieldsToStart; ++field) word = next_word(rest);
  const auto ticks = to_number<std::uint64_t>(word);
  if (!ticks) return std::nullopt;
  return static_cast<double>(*ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Outcome is_of_this_host(const Backend& backend, const std::string& proc_path, double boot_seconds) {
  const std::string process = proc_path + "/" + std::to_string(backend.pid);
  const auto stat = read_text(process + "/stat", kStatMaxBytes);
  const auto start = stat ? start_of_postgres(*stat) : std::nullopt;
  if (!start) return elsewhere(backend, process + " is no process of PostgreSQL that we see");
  if (std::abs(boot_seconds - *start - backend.age_seconds) > kAgeTolerance) {
    return elsewhere(backend, process + " is a process of another age");
  }
  const auto title = read_text(process + "/cmdline", kTitleMaxBytes);
  if (!title || title->find(" " + backend.user + " " + backend.database + " ") == std::string::npos) {
    return elsewhere(backend, process + " serves others");
  }
  const auto its_root = root_of(process);
  const auto our_root = root_of(proc_path + "/self");
  if (its_root && our_root && *its_root != *our_root) return elsewhere(backend, process + " has another root file system");
  return {};
}

}  // namespace pganalytics::disk
