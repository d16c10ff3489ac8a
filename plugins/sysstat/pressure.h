// Pressure stall information: how long tasks stood still for want of a resource (Documentation/accounting/psi.rst).
//
// Here: the parser of one of its files, what the host's files say, their writer. Not here: the pressure of one control group
// (cgroup.h, which uses the parser). Pure but for read_pressure(). Any thread.
#pragma once

#include <optional>
#include <pganalytics/json.hpp>
#include <string_view>

#include "plugins/sysstat/count.h"
#include "plugins/sysstat/tree.h"

namespace pganalytics::sysstat {

// One line of such a file. Averages are shares of the last 10, 60 and 300 seconds, 0 to 1; the file has percents.
struct Stall {
  Count total_us;  // since boot, or since the group was made
  std::optional<double> avg10, avg60, avg300;
};

// "some": at least one task stood still; "full": all of them did. A line that the file lacks is null: the processors' file has
// no "full" before Linux 5.13, and says 0 of it for the whole host since; that of interrupts has nothing else.
struct Pressure {
  Stall some, full;
};
Pressure parse_pressure(std::string_view text);

struct HostPressure {
  Pressure cpu, memory, io;
  Pressure irq;  // null before Linux 6.1, or without CONFIG_IRQ_TIME_ACCOUNTING
};
// nullopt: this kernel measures none (CONFIG_PSI, psi=1), which is no gap.
std::optional<HostPressure> read_pressure(const Tree& proc);

void to_json(JsonWriter& writer, const HostPressure& pressure);

}  // namespace pganalytics::sysstat
