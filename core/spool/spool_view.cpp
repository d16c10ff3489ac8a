#include "core/spool/spool_view.h"

#include "core/spool/ledger.h"
#include "core/spool/spool_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

namespace pganalytics::spool {

Expected<std::map<std::string, std::string>> read_state(Statement& select_by_plugin, const std::string& plugin) {
  std::map<std::string, std::string> state;
  select_by_plugin.bind(plugin);
  for (;;) {
    PGA_TRY(const bool found, select_by_plugin.step());
    if (!found) return state;
    state.emplace(select_by_plugin.bytes(0), select_by_plugin.bytes(1));
  }
}

Expected<std::optional<std::string>> read_value(Statement& select_by_key, const std::string& key) {
  PGA_TRY(const bool found, select_by_key.bind(key).step());
  if (!found) return std::optional<std::string>();
  std::optional<std::string> value = select_by_key.bytes(0);
  select_by_key.reset();
  return value;
}

Expected<SpoolStatus> status_of(const Tally& tally, Ledger& ledger) {
  PGA_TRY(const auto oldest, ledger.oldest(0, std::numeric_limits<std::int64_t>::max(), 0));
  SpoolStatus status;
  status.epoch = tally.epoch;
  status.last_seq = tally.last_seq;
  status.produced_documents = tally.produced;
  status.acknowledged_documents = tally.acknowledged;
  status.lost_documents = tally.lost;
  status.waiting_batches = tally.waiting_batches;
  status.waiting_documents = tally.waiting_documents;
  status.waiting_bytes = tally.waiting_bytes;
  status.oldest_unix_ns = oldest ? oldest->first_unix_ns : 0;
  return status;
}

Expected<SpoolView> SpoolView::open(const std::string& dir) {
  const std::string path = database_path(dir);
  if (::access(path.c_str(), F_OK) != 0) {
    return Error{errno == EACCES ? PGA_E_DENIED : PGA_E_NOTFOUND, "spool.none",
                 "no spool at " + path + ": " + std::strerror(errno),
                 "It is made by the first `pganalytics run` with this [collector] state_dir.", 0};
  }
  PGA_TRY(Database database, Database::open(path, SQLITE_OPEN_READONLY));
  PGA_CHECK(check_format(database, path));
  return SpoolView(std::move(database));
}

Expected<std::map<std::string, std::string>> SpoolView::state_of(const std::string& plugin) {
  PGA_TRY(Statement states, database_.prepare(kSelectState));
  return read_state(states, plugin);
}

Expected<std::optional<std::string>> SpoolView::value(const std::string& key) {
  PGA_TRY(Statement select, database_.prepare(kSelectValue));
  return read_value(select, key);
}

Expected<SpoolStatus> SpoolView::status() {
  // One read transaction, so that the figures belong together.
  PGA_CHECK(database_.run("BEGIN"));
  auto status = [&]() -> Expected<SpoolStatus> {
    PGA_TRY(Ledger ledger, Ledger::open(database_));
    PGA_TRY(const auto tally, ledger.load(database_));
    return tally ? status_of(*tally, ledger) : Expected<SpoolStatus>(SpoolStatus{});
  }();
  PGA_CHECK(database_.run("COMMIT"));
  return status;
}

Expected<std::vector<Loss>> SpoolView::losses() {
  PGA_TRY(Ledger ledger, Ledger::open(database_));
  return ledger.unreported();
}

}  // namespace pganalytics::spool
