#include "core/server/api/collector_health.h"

#include "core/clock/clock.h"

namespace pganalytics::server::api {

void write_health(JsonWriter& json, const store::CollectorRow& row) {
  json.begin_object().member("state", state_of(row.revoked, row.quiet_s)).member("quiet_seconds", row.quiet_s);
  if (row.newest_data_unix_ns) {
    json.member("newest_data_at", clock::format_rfc3339(*row.newest_data_unix_ns)).member("lag_seconds", row.lag_s);
  } else {
    json.member("newest_data_at", nullptr).member("lag_seconds", nullptr);
  }
  json.end_object();
}

}  // namespace pganalytics::server::api
