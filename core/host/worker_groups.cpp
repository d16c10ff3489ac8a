#include "core/host/worker_groups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/host/process.h"
#include "core/log/log.h"

namespace pganalytics::host {
namespace {

constexpr std::string_view kWorkerPrefix = "worker-";
constexpr int kTasksMax = 256;
constexpr std::int64_t kCpuPeriodUs = 100'000;

Error failed_to(const std::string& what) {
  return Error{PGA_E_FAIL, "worker.group", "cannot " + what + ": " + std::strerror(errno), "", 0};
}

// One write(2): the kernel takes or refuses the whole of it.
Outcome write_file(const std::string& path, const std::string& text) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failed_to("write " + path);
  return {};
}

// The folder of this process' group: where cgroup2 is mounted, and the path that the kernel tells relative to that.
std::optional<std::string> own_folder() {
  std::string line, path, mount;
  std::ifstream groups("/proc/self/cgroup");
  while (std::getline(groups, line)) {
    if (line.rfind("0::", 0) == 0) path = line.substr(3);
  }
  std::ifstream mounts("/proc/self/mounts");
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string device, folder, type;
    words >> device >> folder >> type;
    if (type == "cgroup2" && mount.empty()) mount = folder;
  }
  if (path.empty() || mount.empty()) return std::nullopt;
  return mount + path;
}

bool is_delegated(const std::string& folder) {
  for (const char* const name : {"user.delegate", "trusted.delegate"}) {
    char value = '0';
    if (getxattr(folder.c_str(), name, &value, 1) == 1 && value == '1') return access(folder.c_str(), W_OK) == 0;
  }
  return false;
}

std::vector<std::string> controllers_in(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string name; file >> name;) {
    if (name == "memory" || name == "pids" || name == "cpu") names.push_back(name);
  }
  return names;
}

void remove_leftovers(const std::string& folder) {
  std::error_code failed;
  std::vector<std::string> found;
  std::filesystem::directory_iterator entry(folder, failed);
  while (!failed && entry != std::filesystem::directory_iterator()) {
    const std::string name = entry->path().filename().string();
    if (name.rfind(kWorkerPrefix, 0) == 0) found.push_back(entry->path().string());
    entry.increment(failed);
  }
  for (const std::string& group : found) WorkerGroup{group};  // its destructor does it
}

}  // namespace

WorkerGroup::~WorkerGroup() {
  kill();
  // The dead are in it until they are reaped; who is not by then is left for the next one to use the name, or the next start.
  constexpr int kTries = 10;
  for (int i = 0; i < kTries && rmdir(folder_.c_str()) != 0 && errno == EBUSY; ++i) usleep(1000);
}

Outcome WorkerGroup::add(pid_t pid) { return write_file(folder_ + "/cgroup.procs", std::to_string(pid)); }

void WorkerGroup::kill() {
  // Linux 5.14; before that the signal to the process group is all there is.
  if (const Outcome killed = write_file(folder_ + "/cgroup.kill", "1"); !killed) log::debug(killed.error().message);
}

std::optional<WorkerGroups> WorkerGroups::of_this_process() {
  const auto folder = own_folder();
  if (!folder || !is_delegated(*folder)) return std::nullopt;
  auto groups = [&]() -> Expected<WorkerGroups> {
    const std::string own = *folder + "/collector";
    if (mkdir(own.c_str(), 0755) != 0 && errno != EEXIST) return failed_to("make the control group " + own);
    PGA_CHECK(write_file(own + "/cgroup.procs", std::to_string(getpid())));
    return in(*folder);
  }();
  if (groups) return std::move(*groups);
  log::write(log::Level::kWarn, "workers get no control groups of their own", groups.error());
  return std::nullopt;
}

Expected<WorkerGroups> WorkerGroups::in(const std::string& folder) {
  if (access((folder + "/cgroup.procs").c_str(), W_OK) != 0) return failed_to("use the control group " + folder);
  WorkerGroups groups(folder);
  remove_leftovers(folder);
  for (const std::string& name : controllers_in(folder + "/cgroup.controllers")) {
    const Outcome on = write_file(folder + "/cgroup.subtree_control", "+" + name);
    if (!on) log::write(log::Level::kWarn, "control groups of workers do without " + name, on.error());
  }
  groups.controllers_ = controllers_in(folder + "/cgroup.subtree_control");
  return groups;
}

Expected<std::unique_ptr<WorkerGroup>> WorkerGroups::make(const std::string& name, const Confinement& confinement) {
  const std::string folder = folder_ + "/" + std::string(kWorkerPrefix) + name;
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return failed_to("make the control group " + folder);
  auto group = std::make_unique<WorkerGroup>(folder);
  const auto limit = [&](const char* controller, const std::string& value) -> Outcome {
    if (std::find(controllers_.begin(), controllers_.end(), controller) == controllers_.end()) return {};
    return write_file(folder + "/" + controller + ".max", value);
  };
  if (confinement.memory_max_bytes > 0) PGA_CHECK(limit("memory", std::to_string(confinement.memory_max_bytes)));
  PGA_CHECK(limit("pids", std::to_string(kTasksMax)));
  if (confinement.cpu_max_percent > 0) {
    const std::int64_t percent = std::max<std::int64_t>(confinement.cpu_max_percent, 100);
    PGA_CHECK(limit("cpu", std::to_string(kCpuPeriodUs * percent / 100) + " " + std::to_string(kCpuPeriodUs)));
  }
  return group;
}

}  // namespace pganalytics::host
