#include "core/spool/spool_view.h"

#include "core/spool/ledger.h"
#include "core/spool/record.h"
#include "core/spool/spool_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pganalytics::spool {

Expected<std::map<std::string, std::string>> read_state(Statement& select_by_plugin, const std::string& plugin) {
  std::map<std::string, std::string> state;
  select_by_plugin.bind(plugin);
  for (;;) {
    PGA_TRY(const bool found, select_by_plugin.step());
    if (!found) return state;
    std::string key = select_by_plugin.bytes(0), value = select_by_plugin.bytes(1);
    if (RecordCrc().add(plugin).add(key).add(value).value() != select_by_plugin.integer(2)) {
      select_by_plugin.reset();
      return damaged("the state of plugin " + plugin);
    }
    state.emplace(std::move(key), std::move(value));
  }
}

Expected<std::optional<std::string>> read_value(Statement& select_by_key, const std::string& key) {
  PGA_TRY(const bool found, select_by_key.bind(key).step());
  if (!found) return std::optional<std::string>();
  std::optional<std::string> value = select_by_key.bytes(0);
  const std::int64_t crc = select_by_key.integer(1);
  select_by_key.reset();
  if (RecordCrc().add(key).add(*value).value() != crc) return damaged("the value " + key);
  return value;
}

SpoolStatus status_of(const Tally& tally, std::int64_t oldest_unix_ns) {
  SpoolStatus status;
  status.epoch = tally.current;
  for (const auto& [epoch, row] : tally.epochs) {
    if (epoch == tally.current) status.last_seq = row.last_seq;
    status.produced_documents += row.produced;
    status.acknowledged_documents += row.acknowledged;
    status.lost_documents += row.lost;
  }
  status.waiting_batches = tally.waiting_batches;
  status.waiting_documents = tally.waiting_documents;
  status.waiting_bytes = tally.waiting_bytes;
  status.oldest_unix_ns = oldest_unix_ns;
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
    PGA_TRY(const auto home, read_home(database_));
    if (!home) return SpoolStatus{};
    PGA_TRY(Ledger ledger, Ledger::open(database_));
    PGA_TRY(const Tally tally, ledger.load(database_, home->epoch));
    PGA_TRY(Statement oldest, database_.prepare("SELECT first_unix_ns FROM batch ORDER BY position, part LIMIT 1"));
    PGA_TRY(const bool waits, oldest.step());
    return status_of(tally, waits ? oldest.integer(0) : 0);
  }();
  PGA_CHECK(database_.run("COMMIT"));
  return status;
}

Expected<std::vector<Loss>> SpoolView::losses() {
  PGA_TRY(Ledger ledger, Ledger::open(database_));
  return ledger.unreported();
}

}  // namespace pganalytics::spool
