#include "plugins/sysstat/readings.h"

#include <pganalytics/text.hpp>

namespace pganalytics::sysstat {
namespace {

// A line "name number" or "name: number kB" of the file, and where it goes.
template <class Reading>
struct Field {
  std::string_view name;  // in the file
  const char* key;        // in the document
  std::uint64_t scale;    // what the file counts in
  Count Reading::*member;
};

constexpr std::uint64_t kKib = 1024;

constexpr Field<Memory> kMemoryFields[] = {
    {"MemTotal", "total", kKib, &Memory::total},
    {"MemFree", "free", kKib, &Memory::free},
    {"MemAvailable", "available", kKib, &Memory::available},
    {"Buffers", "buffers", kKib, &Memory::buffers},
    {"Cached", "cached", kKib, &Memory::cached},
    {"Shmem", "shared", kKib, &Memory::shared},
    {"Active", "active", kKib, &Memory::active},
    {"Inactive", "inactive", kKib, &Memory::inactive},
    {"AnonPages", "anonymous", kKib, &Memory::anonymous},
    {"Mapped", "mapped", kKib, &Memory::mapped},
    {"Dirty", "dirty", kKib, &Memory::dirty},
    {"Writeback", "writeback", kKib, &Memory::writeback},
    {"Slab", "slab", kKib, &Memory::slab},
    {"SReclaimable", "slab_reclaimable", kKib, &Memory::slab_reclaimable},
    {"PageTables", "page_tables", kKib, &Memory::page_tables},
    {"Committed_AS", "committed", kKib, &Memory::committed},
    {"CommitLimit", "commit_limit", kKib, &Memory::commit_limit},
    {"SwapTotal", "swap_total", kKib, &Memory::swap_total},
    {"SwapFree", "swap_free", kKib, &Memory::swap_free},
    {"SwapCached", "swap_cached", kKib, &Memory::swap_cached},
    {"HugePages_Total", "huge_pages_total", 1, &Memory::huge_pages_total},
    {"HugePages_Free", "huge_pages_free", 1, &Memory::huge_pages_free},
    {"HugePages_Rsvd", "huge_pages_reserved", 1, &Memory::huge_pages_reserved},
    {"Hugepagesize", "huge_page_size", kKib, &Memory::huge_page_size},
};

constexpr Field<Paging> kPagingFields[] = {
    {"pgpgin", "paged_in_bytes", kKib, &Paging::paged_in_bytes},  // the kernel counts these two in KiB, not in pages
    {"pgpgout", "paged_out_bytes", kKib, &Paging::paged_out_bytes},  {"pswpin", "swapped_in_pages", 1, &Paging::swapped_in_pages},
    {"pswpout", "swapped_out_pages", 1, &Paging::swapped_out_pages}, {"pgfault", "faults", 1, &Paging::faults},
    {"pgmajfault", "major_faults", 1, &Paging::major_faults},        {"oom_kill", "oom_kills", 1, &Paging::oom_kills},
};

constexpr Field<Activity> kActivityFields[] = {
    {"procs_running", "processes_running", 1, &Activity::processes_running},
    {"procs_blocked", "processes_blocked", 1, &Activity::processes_blocked},
    {"processes", "forks", 1, &Activity::forks},
    {"ctxt", "context_switches", 1, &Activity::context_switches},
    {"intr", "interrupts", 1, &Activity::interrupts},  // the first number is the sum of the others
};

template <class Reading, std::size_t N>
Reading parse_fields(std::string_view text, const Field<Reading> (&fields)[N], const char* part, Gaps& gaps) {
  Reading reading;
  while (auto line = next_line(text)) {
    std::string_view name = next_word(*line);
    if (!name.empty() && name.back() == ':') name.remove_suffix(1);
    for (const Field<Reading>& field : fields) {
      if (field.name == name) reading.*field.member = to_count(next_word(*line), field.scale);
    }
  }
  std::string missing;
  for (const Field<Reading>& field : fields) {
    if (reading.*field.member) continue;
    missing += missing.empty() ? "" : ", ";
    missing += field.name;
  }
  if (!missing.empty()) gaps.push_back({part, "proc.incomplete", "the kernel gives no number for " + missing, ""});
  return reading;
}

template <class Reading, std::size_t N>
void write_fields(JsonWriter& writer, const Reading& reading, const Field<Reading> (&fields)[N]) {
  writer.begin_object();
  for (const Field<Reading>& field : fields) writer.member(field.key, reading.*field.member);
  writer.end_object();
}

std::optional<double> not_negative(std::string_view word) {
  const auto number = to_number<double>(word);
  return number && *number >= 0 && *number < 1e15 ? number : std::nullopt;  // also refuses "nan" and "inf"
}

}  // namespace

Memory parse_memory(std::string_view meminfo, Gaps& gaps) { return parse_fields(meminfo, kMemoryFields, "memory", gaps); }
void to_json(JsonWriter& writer, const Memory& memory) { write_fields(writer, memory, kMemoryFields); }

Paging parse_paging(std::string_view vmstat, Gaps& gaps) { return parse_fields(vmstat, kPagingFields, "paging", gaps); }
void to_json(JsonWriter& writer, const Paging& paging) { write_fields(writer, paging, kPagingFields); }

Activity parse_activity(std::string_view stat, Gaps& gaps) { return parse_fields(stat, kActivityFields, "activity", gaps); }
void to_json(JsonWriter& writer, const Activity& activity) { write_fields(writer, activity, kActivityFields); }

Load parse_load(std::string_view loadavg, Gaps& gaps) {
  Load load;
  load.one_minute = not_negative(next_word(loadavg));
  load.five_minutes = not_negative(next_word(loadavg));
  load.fifteen_minutes = not_negative(next_word(loadavg));
  if (!load.one_minute || !load.five_minutes || !load.fifteen_minutes) {
    gaps.push_back({"load", "proc.incomplete", "loadavg does not begin with three numbers", ""});
  }
  return load;
}

void to_json(JsonWriter& writer, const Load& load) {
  writer.begin_object();
  writer.member("one_minute", load.one_minute);
  writer.member("five_minutes", load.five_minutes);
  writer.member("fifteen_minutes", load.fifteen_minutes);
  writer.end_object();
}

std::optional<double> parse_uptime_seconds(std::string_view uptime, Gaps& gaps) {
  const auto seconds = not_negative(next_word(uptime));
  if (!seconds) gaps.push_back({"uptime_seconds", "proc.incomplete", "uptime does not begin with a number", ""});
  return seconds;
}

}  // namespace pganalytics::sysstat
