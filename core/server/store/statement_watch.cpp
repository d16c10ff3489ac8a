#include "core/server/store/statement_watch.h"

#include "core/log/log.h"

#include <algorithm>
#include <string>

namespace pganalytics::server::store {

std::string_view statement_name(std::string_view sql) {
  constexpr std::string_view kMark = "/* pganalytics-server:";
  constexpr std::size_t kShown = 40;
  if (sql.substr(0, kMark.size()) != kMark) return sql.substr(0, kShown);
  const std::string_view rest = sql.substr(kMark.size());
  return rest.substr(0, rest.find(' '));
}

void StatementWatch::ended(std::string_view sql, std::int64_t took_ns, std::int64_t rows) {
  durations_.add(took_ns);
  const std::int64_t slow_ns = slow_ns_;
  if (slow_ns == 0 || took_ns < slow_ns) return;
  slow_.fetch_add(1, std::memory_order_relaxed);
  log::write(log::Level::kWarn, "slow statement",
             {{"statement", statement_name(sql)}, {"ms", took_ns / 1'000'000}, {"rows", rows}});
}

}  // namespace pganalytics::server::store
