// logs.so: the descriptor and the one exported symbol.
#include "plugins/logs/collector.h"

#include "logs_embedded.h"

PGA_DEFINE_PLUGIN(pganalytics::logs::LogsCollector, "logs",
                  (pganalytics::PluginFacts{"0.1.0", "pgAnalytics", "Events of the PostgreSQL server's log files", "Apache-2.0",
                                            "https://github.com/pganalytics/pganalytics", "pg_logs,pg_log",
                                            embedded::config_schema_json, embedded::output_schema_json,
                                            PGA_NEED_READ_FS | PGA_NEED_PG, 0u, 10'000u, 30'000u}))
