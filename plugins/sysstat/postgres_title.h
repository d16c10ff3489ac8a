// What a process of PostgreSQL says of itself in its command line: /proc/PID/cmdline, which anybody may read.
//
// PostgreSQL's processes write their title over it, "postgres: 15/main: alice ledger 10.0.0.7(53122) SELECT" (init_ps_display()
// and set_ps_display() in its ps_status.c); the postmaster keeps its arguments. Of a title only the type of process leaves this
// file: never a name of a user or database, nor what a session does. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace pganalytics::sysstat {

// In the words of pg_stat_activity.backend_type: "client backend", "autovacuum worker", "checkpointer"... What has a title that
// is none of these, as an extension's worker, is "background worker". "starting": no title yet. A static text.
// A title has as much room as the postmaster's command line and environment took (PS_USE_CLOBBER_ARGV in ps_status.c). Where that
// is less than the names of a session's user and database, where it comes from is cut off, and it counts as background worker.
const char* backend_type_of(std::string_view cmdline);

// Of a postmaster's command line: the folder after -D or --pgdata, and the port after -p or --port; empty if it does not say.
struct PostmasterArguments {
  std::string data_directory;
  std::string port;
};
PostmasterArguments postmaster_arguments(std::string_view cmdline);

}  // namespace pganalytics::sysstat
