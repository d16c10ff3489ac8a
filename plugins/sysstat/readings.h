// What one look at /proc tells: memory, paging, load, uptime, processes. Texts in, structs out, structs into the
// document.
//
// Here: for each file a struct whose members are null until the text gave them, its parser, and its writer beside it. A table
// says which name in the file is which key of the document. Not here: CPU shares, which need two looks (cpu.h); pressure
// (pressure.h); reading files (sysstat.cpp). Pure functions, any thread. Parsers skip what they do not know and tell in `gaps`
// what they did not find.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/json.hpp>
#include <string_view>

#include "plugins/sysstat/count.h"
#include "plugins/sysstat/gap.h"

namespace pganalytics::sysstat {

// /proc/meminfo; bytes, but for the three counts of huge pages.
struct Memory {
  Count total, free, available, buffers, cached, shared, active, inactive, anonymous, mapped, dirty, writeback;
  Count slab, slab_reclaimable, page_tables, committed, commit_limit, swap_total, swap_free, swap_cached;
  Count huge_pages_total, huge_pages_free, huge_pages_reserved, huge_page_size;
};
Memory parse_memory(std::string_view meminfo, Gaps& gaps);
void to_json(JsonWriter& writer, const Memory& memory);

// /proc/vmstat; counters since boot.
struct Paging {
  Count paged_in_bytes, paged_out_bytes, swapped_in_pages, swapped_out_pages, faults, major_faults, oom_kills;
};
Paging parse_paging(std::string_view vmstat, Gaps& gaps);
void to_json(JsonWriter& writer, const Paging& paging);

// The lines of /proc/stat that are not about one kind of CPU time.
struct Activity {
  Count processes_running, processes_blocked, forks, context_switches, interrupts;
};
Activity parse_activity(std::string_view stat, Gaps& gaps);
void to_json(JsonWriter& writer, const Activity& activity);

// /proc/loadavg.
struct Load {
  std::optional<double> one_minute, five_minutes, fifteen_minutes;
};
Load parse_load(std::string_view loadavg, Gaps& gaps);
void to_json(JsonWriter& writer, const Load& load);

std::optional<double> parse_uptime_seconds(std::string_view uptime, Gaps& gaps);

}  // namespace pganalytics::sysstat
