// The files of one process: /proc/PID/stat, io, smaps_rollup (proc(5)). stat is anybody's; the other two are for who may trace
// the process (PTRACE_MODE_READ, ptrace(2)). Here: what their texts mean. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "plugins/sysstat/count.h"

namespace pganalytics::sysstat {

struct ProcessStat {
  std::string_view command;  // into the text; at most 15 bytes
  std::int32_t parent = 0;
  std::uint64_t cpu_ticks = 0;    // utime + stime, in ticks of sysconf(_SC_CLK_TCK)
  std::uint64_t start_ticks = 0;  // since boot: with the process id, what no other process has
  std::uint64_t rss_pages = 0;
};
std::optional<ProcessStat> parse_process_stat(std::string_view stat);

// Pages in RAM that neither a file nor shared memory backs: those that are the process's own, but for what it still shares with
// the one that it was forked from.
Count parse_anonymous_pages(std::string_view statm);

// What it had block devices read and write, not what the page cache gave.
struct ProcessIo {
  Count read_bytes, write_bytes;
};
ProcessIo parse_process_io(std::string_view io);

// Proportional set size: each page that n processes map counts an n-th.
Count parse_pss_bytes(std::string_view smaps_rollup);

}  // namespace pganalytics::sysstat
