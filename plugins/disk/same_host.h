// Is a server's host ours? Only then do its paths mean anything here.
//
// A server says which process serves us, since when, for which user and database. If /proc shows a process of that id that is
// PostgreSQL's, as old, and with this user and database in its title, it is that process: the host is ours, and we share its
// process ids. It also has to have our root file system, as far as its mounts may be read: in a container of its own a server is
// elsewhere, as its paths are. Whether the connection came
// over a Unix socket or TCP says nothing: both are passed on into containers, and forwarded. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::disk {

struct Backend {
  std::int64_t pid = 0;
  double age_seconds = 0;  // by the server's clock, of which only differences count
  std::string user, database;
};

// `boot_seconds`: CLOCK_BOOTTIME, which /proc/PID/stat has start times in (proc(5), starttime). Not ours: "disk.elsewhere", with
// what was looked at and what did not fit.
Outcome is_of_this_host(const Backend& backend, const std::string& proc_path, double boot_seconds);

// Of /proc/PID/stat: when it began, in seconds since boot. nullopt: it is no process of PostgreSQL's, or not understood.
std::optional<double> start_of_postgres(std::string_view stat);

}  // namespace pganalytics::disk
