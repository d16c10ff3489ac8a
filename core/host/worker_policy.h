// What a worker does to itself before it loads a plugin, and what it then may still do: plain data, decided by the host
// (sandbox_policy.h), sent in the LOAD frame, put in force by worker/confine.cpp. [any thread]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::host {

// A file, or a folder with everything beneath it. The path has no symbolic links.
struct PathGrant {
  static constexpr std::uint32_t kRead = 1;     // read files, list folders
  static constexpr std::uint32_t kList = 2;     // list folders, read nothing
  static constexpr std::uint32_t kExecute = 4;  // run programs
  static constexpr std::uint32_t kWrite = 8;    // write to files that are there: /dev/null

  std::string path;
  std::uint32_t access = kRead;
  std::uint64_t inode = 0;  // the host's: what was there; a rule sticks to it, and not to the name

  bool operator==(const PathGrant& other) const { return path == other.path && access == other.access && inode == other.inode; }
  template <class Field>
  void fields(Field& field) {
    field(path), field(access);
  }
};

struct WorkerPolicy {
  static constexpr std::uint32_t kUnchanged = 0xFFFFFFFF;  // of user and group

  // Limits
  std::int64_t memory_max_bytes = 0;  // RLIMIT_DATA; 0: none
  std::uint64_t tasks_max = 0;        // RLIMIT_NPROC, of all that the user runs; 0: none

  // Privileges. Capabilities are bits as in <linux/capability.h>; all others are dropped.
  std::uint32_t user = kUnchanged, group = kUnchanged;
  std::uint32_t set_groups = 0;       // 0: the supplementary groups stay as they are
  std::vector<std::uint32_t> groups;  // supplementary
  std::string home;                   // HOME of that user; empty: stays
  std::uint64_t capabilities = 0;
  std::uint32_t pass_capabilities = 0;  // also to programs that the plugin runs

  // Sandbox
  std::uint32_t sandbox = 1;
  std::uint32_t needs = 0;  // PGA_NEED_*: what the sandbox leaves open beside the grants
  std::vector<PathGrant> grants;
  std::uint32_t landlock_abi_max = 0xFFFF;  // behave like a kernel that offers no more than this: for tests
  std::string system_call_filter;           // a struct sock_filter[] as bytes, for this very process

  template <class Field>
  void fields(Field& field) {
    field(memory_max_bytes), field(tasks_max), field(user), field(group), field(set_groups), field(groups), field(home);
    field(capabilities), field(pass_capabilities), field(sandbox), field(needs), field(grants);
    field(landlock_abi_max), field(system_call_filter);
  }
};

}  // namespace pganalytics::host
