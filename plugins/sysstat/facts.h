// What the machine is: kernel, processors, memory, and settings of the kernel that a database feels. It hardly ever changes.
//
// Here: reading these from /proc and /sys, and their writer. Not here: whether they have changed (sysstat.cpp). Any thread.
// Sources: Documentation/admin-guide/sysctl, Documentation/ABI/stable/sysfs-devices-system-cpu, sysfs-devices-node,
// Documentation/admin-guide/mm/transhuge.rst, proc(5).
#pragma once

#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>

#include "plugins/sysstat/count.h"
#include "plugins/sysstat/tree.h"

namespace pganalytics::sysstat {

// Texts are empty and numbers null where the kernel does not say.
struct Facts {
  std::string kernel_release, hardware, cpu_model;
  Count cpus_online, cpus_possible, numa_nodes;
  std::optional<bool> smt;  // more than one thread runs on a core
  std::string cpu_governor, clocksource;
  Count memory_bytes, huge_page_bytes;
  std::string transparent_hugepages, transparent_hugepage_defrag;
  Count swappiness, overcommit_memory, overcommit_ratio;
};

Facts read_facts(const Tree& proc, const Tree& sys);

// "0-3,8" has five.
Count count_of_list(std::string_view list);
// The one in brackets of "always [madvise] never"; empty if none is.
std::string_view chosen_of(std::string_view choices);

void to_json(JsonWriter& writer, const Facts& facts);

}  // namespace pganalytics::sysstat
