#include "plugins/sysstat/postgres_cgroups.h"

#include <map>
#include <optional>
#include <utility>

namespace pganalytics::sysstat {
namespace {

// Looked at above one group. A real path has few steps; a hostile one is no reason to read thousands of files.
constexpr std::size_t kStepsMax = 32;

class Reader {
 public:
  Reader(const Tree& sys, Gaps& gaps) : sys_(sys), gaps_(gaps) {}

  void add(const std::string& path, const char* of) {
    if (read_.count(path) != 0) return;
    auto cgroup = read_cgroup(sys_, path, gaps_);
    if (!cgroup) return;
    for (const std::string& group : above(path)) cgroup->effective = least(cgroup->effective, limits_of(group));
    read_.emplace(path, CgroupOf{path, of, *std::move(cgroup)});
  }

  void add_limiting_above(const std::string& path) {
    for (const std::string& group : above(path)) {
      if (limits_of(group).any()) add(group, "above");
    }
  }

  std::vector<CgroupOf> take() {
    std::vector<CgroupOf> all;
    for (auto& each : read_) all.push_back(std::move(each.second));
    return all;
  }

 private:
  static std::vector<std::string> above(const std::string& path) {
    auto groups = groups_above(path);
    if (groups.size() > kStepsMax) groups.resize(kStepsMax);
    return groups;
  }

  // Servers of one host have the same groups above them.
  const CgroupLimits& limits_of(const std::string& path) {
    const auto known = limits_.find(path);
    return known != limits_.end() ? known->second : limits_.emplace(path, read_limits(sys_, path, gaps_)).first->second;
  }

  const Tree& sys_;
  Gaps& gaps_;
  std::map<std::string, CgroupLimits> limits_;
  std::map<std::string, CgroupOf> read_;
};

std::optional<std::string> path_of(const Tree& proc, const std::string& process) {
  const auto text = proc.read(process + "/cgroup");
  return text ? parse_cgroup_path(*text) : std::nullopt;
}

}  // namespace

std::vector<CgroupOf> read_postgres_cgroups(const Tree& proc, const Tree& sys, const std::set<pid_t>& postmasters, Gaps& gaps) {
  std::map<std::string, const char*> wanted;
  for (const pid_t postmaster : postmasters) {
    if (auto path = path_of(proc, std::to_string(postmaster))) wanted.emplace(*std::move(path), "postgresql");
  }
  if (auto path = path_of(proc, "self")) wanted.emplace(*std::move(path), "collector");
  Reader reader(sys, gaps);
  for (const auto& [path, of] : wanted) reader.add(path, of);
  for (const auto& [path, of] : wanted) reader.add_limiting_above(path);  // those that are somebody's stay so
  return reader.take();
}

}  // namespace pganalytics::sysstat
