#include "core/host/sandbox_policy.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/host/capability_names.h"
#include "core/host/readable_places.h"
#include "core/host/system_call_filter.h"
#include "core/instance/instance_name.h"

namespace pganalytics::host {
namespace {

constexpr std::uint64_t kTasksBesideOthers =
    512;  // how many processes and threads the plugin's user may have on top of all there are

constexpr const char* kLibraries[] = {"/lib",       "/lib32",     "/lib64",         "/usr/lib",
                                      "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"};
constexpr const char* kAlways[] = {
    "/etc/ld.so.cache", "/dev/zero",           "/dev/random",       "/dev/urandom",
    "/etc/localtime",   "/usr/share/zoneinfo", "/usr/share/locale", "/sys/devices/system/cpu/online"};
constexpr const char* kNames[] = {"/etc/nsswitch.conf", "/etc/passwd", "/etc/group"};
constexpr const char* kNetwork[] = {"/etc/hosts",
                                    "/etc/host.conf",
                                    "/etc/resolv.conf",
                                    "/run/systemd/resolve",
                                    "/etc/gai.conf",
                                    "/etc/services",
                                    "/etc/protocols",
                                    "/var/lib/sss/mc",
                                    "/etc/ssl/certs",
                                    "/etc/ssl/openssl.cnf",
                                    "/etc/pki/tls/certs",
                                    "/etc/pki/tls/openssl.cnf",
                                    "/etc/pki/ca-trust/extracted",
                                    "/etc/crypto-policies",
                                    "/usr/share/ca-certificates",
                                    "/usr/local/share/ca-certificates",
                                    "/etc/krb5.conf",
                                    "/etc/krb5.conf.d"};
constexpr const char* kPrograms[] = {"/bin", "/sbin", "/usr", "/opt"};

Error config_error(const char* code, std::string what, std::string hint) {
  return Error{PGA_E_CONFIG, code, std::move(what), std::move(hint), 0};
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Files -------------------------------------------------------------------------------------------------------------------

// Folders that the dynamic linker's configuration adds.
void add_linker_folders(ReadablePlaces& places) {
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator("/etc/ld.so.conf.d", absent)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (!line.empty() && line.front() == '/') places.add(line.substr(0, line.find_last_not_of(" \t") + 1));
    }
  }
}

void add_system(ReadablePlaces& places, const std::string& plugin_path) {
  for (const char* path : kLibraries) places.add(path);
  for (const char* path : kAlways) places.add(path);
  places.add("/dev/null", PathGrant::kRead | PathGrant::kWrite);
  add_linker_folders(places);
  places.add(std::filesystem::path(plugin_path).parent_path().string());
  places.add(plugin_path);  // should its folder hold more than it may see
#ifdef PGANALYTICS_INSTRUMENTED
  places.add("/proc");
  places.add(PGANALYTICS_INSTRUMENTED, PathGrant::kRead | PathGrant::kWrite);
#endif
}

// What libpq reads without being told: it looks in the home folder, of which nothing else is given.
void add_postgres(ReadablePlaces& places, const std::string& home) {
  for (const char* name : {"PGPASSFILE", "PGSERVICEFILE", "PGSYSCONFDIR"}) {
    if (const std::string path = variable(name); !path.empty()) places.add(path);
  }
  places.add("/etc/postgresql-common/pg_service.conf");
  if (home.empty()) return;
  for (const char* name : {"/.pgpass", "/.pg_service.conf", "/.postgresql"}) places.add(home + name);
}

Expected<std::vector<PathGrant>> grants_of(const PluginSettings& settings, const std::string& home) {
  const std::uint32_t needs = settings.info.needs;
  ReadablePlaces places(settings.secret_paths);
  add_system(places, settings.info.path);
  if ((needs & PGA_NEED_PROC) != 0) {
    places.add("/proc");
    places.add("/sys");
  }
  if ((needs & (PGA_NEED_PROC | PGA_NEED_PG | PGA_NEED_NET)) != 0) {
    for (const char* path : kNames) places.add(path);
  }
  if ((needs & (PGA_NEED_PG | PGA_NEED_NET)) != 0) {
    for (const char* path : kNetwork) places.add(path);
  }
  if ((needs & PGA_NEED_PG) != 0) add_postgres(places, home);
  if ((needs & PGA_NEED_EXEC) != 0) {
    for (const char* path : kPrograms) places.add(path, PathGrant::kRead | PathGrant::kExecute);
    for (const char* path : kLibraries) places.add(path, PathGrant::kRead | PathGrant::kExecute);
  }
  if ((needs & PGA_NEED_READ_FS) != 0) {
    const std::uint32_t access = PathGrant::kRead | ((needs & PGA_NEED_EXEC) != 0 ? PathGrant::kExecute : 0);
    for (const std::string& path : settings.read_paths) PGA_CHECK(places.add_named(path, access));
  }
  for (const std::string& path : settings.read_files) places.add(path);
  return places.grants();
}

// Privileges --------------------------------------------------------------------------------------------------------------

std::uint64_t own_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (syscall(SYS_capget, &header, sets) != 0) return 0;
  return sets[0].effective | static_cast<std::uint64_t>(sets[1].effective) << 32;
}

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << capability; }

Error not_permitted(const PluginSettings& settings, const std::string& what, const std::string& capabilities) {
  return config_error("plugin.privilege", "plugin " + settings.instance + ": the collector may not " + what,
                      "Give its service " + capabilities +
                          " with AmbientCapabilities= in a systemd drop-in (docs/SECURITY.md), or take the key out.");
}

Expected<passwd> user_named(const std::string& name) {
  if (const passwd* const found = getpwnam(name.c_str())) return *found;
  return config_error("plugin.user", "there is no user '" + name + "'", "Create it, or name another in `user`.");
}

Expected<gid_t> group_named(const std::string& name) {
  if (const group* const found = getgrnam(name.c_str())) return found->gr_gid;
  return config_error("plugin.group", "there is no group '" + name + "'", "Create it, or name others in `groups`.");
}

std::vector<std::uint32_t> groups_of(const std::string& user, gid_t group) {
  int count = 64;
  std::vector<std::uint32_t> groups(static_cast<std::size_t>(count));
  while (getgrouplist(user.c_str(), group, groups.data(), &count) < 0) groups.resize(static_cast<std::size_t>(count));
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::vector<std::uint32_t> own_groups() {
  const int count = getgroups(0, nullptr);
  std::vector<std::uint32_t> groups(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (!groups.empty() && getgroups(count, groups.data()) < 0) groups.clear();
  return groups;
}

Outcome set_user(const PluginSettings& settings, WorkerPolicy& policy) {
  const Confinement& wanted = settings.confinement;
  policy.home = variable("HOME");
  if (wanted.user.empty() && wanted.groups.empty()) return {};
  policy.set_groups = 1;
  policy.groups = own_groups();
  if (!wanted.user.empty()) {
    PGA_TRY(const passwd user, user_named(wanted.user));
    policy.user = user.pw_uid;
    policy.group = user.pw_gid;
    policy.home = user.pw_dir;
    policy.groups = groups_of(wanted.user, user.pw_gid);
  }
  for (const std::string& name : wanted.groups) {
    PGA_TRY(const gid_t group, group_named(name));
    policy.groups.push_back(group);
  }
  const std::uint64_t have = own_capabilities();
  if (policy.user != WorkerPolicy::kUnchanged && policy.user != geteuid() && (have & bit(CAP_SETUID)) == 0)
    return not_permitted(settings, "run it as user '" + wanted.user + "'", "CAP_SETUID and CAP_SETGID");
  if ((have & bit(CAP_SETGID)) == 0) return not_permitted(settings, "set its groups", "CAP_SETGID");
  return {};
}

// A collector that runs as root reads any file. Of that the workers of plugins that read files keep this much, and Landlock says
// which files; all others keep nothing.
Outcome set_capabilities(const PluginSettings& settings, WorkerPolicy& policy) {
  const Confinement& wanted = settings.confinement;
  const std::uint64_t have = own_capabilities();
  for (const std::string& name : wanted.capabilities) {
    const auto capability = capability_named(name);
    if (!capability) {
      return config_error("plugin.capability", "there is no capability '" + name + "'",
                          "Give names as capabilities(7) has them: CAP_DAC_READ_SEARCH.");
    }
    if ((have & bit(*capability)) == 0) return not_permitted(settings, "pass " + name + " on to it", name);
    policy.capabilities |= bit(*capability);
    policy.pass_capabilities = 1;
  }
  // PG: a server's socket may lie in a folder that only its own user may enter.
  const bool reads_files = (settings.info.needs & (PGA_NEED_READ_FS | PGA_NEED_PROC | PGA_NEED_PG)) != 0;
  if (geteuid() == 0 && wanted.user.empty() && reads_files) policy.capabilities |= have & bit(CAP_DAC_READ_SEARCH);
  return {};
}

bool same_privileges(const WorkerPolicy& a, const WorkerPolicy& b) {
  return a.user == b.user && a.group == b.group && a.set_groups == b.set_groups && a.groups == b.groups && a.home == b.home &&
         a.capabilities == b.capabilities && a.pass_capabilities == b.pass_capabilities;
}

}  // namespace

Expected<WorkerPolicy> policy_of(const PluginSettings& settings) {
  const std::uint32_t needs = settings.info.needs;
  if ((needs & ~kKnownNeeds) != 0) {
    return Error{PGA_E_UNSUPPORTED, "plugin.needs",
                 "plugin " + settings.instance + " declares a need that this version does not know",
                 "Install a newer pganalytics, or the plugin's build for this one.", 0};
  }
  if ((needs & PGA_NEED_EXEC) != 0 && !settings.confinement.allow_exec) {
    return config_error("plugin.exec", "plugin " + settings.instance + " runs programs, which is not allowed",
                        "If you trust it with that, set allow_exec = true in " + instance::table_of(settings.instance) + ".");
  }
  WorkerPolicy policy;
  policy.memory_max_bytes = settings.confinement.memory_max_bytes;
  policy.sandbox = settings.confinement.sandbox ? 1 : 0;
  policy.needs = needs;
  PGA_CHECK(set_user(settings, policy));
  PGA_CHECK(set_capabilities(settings, policy));
  PGA_TRY(policy.grants, grants_of(settings, policy.home));
  return policy;
}

WorkerPolicy strictest_policy(const std::string& plugin_path) {
  WorkerPolicy policy;
  policy.memory_max_bytes = Confinement().memory_max_bytes;
  ReadablePlaces places({});
  add_system(places, plugin_path);
  policy.grants = places.grants();
  return policy;
}

LoadMessage load_message(const std::string& path, const std::string& id, WorkerPolicy policy, pid_t worker) {
  struct sysinfo system {};
  if (sysinfo(&system) == 0) policy.tasks_max = system.procs + kTasksBesideOthers;
  if (policy.sandbox != 0) policy.system_call_filter = system_call_filter(policy.needs, worker);
  return {path, id, std::move(policy)};
}

bool needs_new_worker(const WorkerPolicy& in_force, const PluginSettings& wanted) {
  const auto policy = policy_of(wanted);
  if (!policy) return true;  // the start of another says why there is none
  return policy->memory_max_bytes != in_force.memory_max_bytes || policy->sandbox != in_force.sandbox ||
         policy->needs != in_force.needs || !(policy->grants == in_force.grants) || !same_privileges(*policy, in_force);
}

}  // namespace pganalytics::host
