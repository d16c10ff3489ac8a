// A destination's way through what was pushed: what comes next for it, and how far it is (migrations/0013_forwarding.sql).
//
// It is held by one of all servers: whoever has it has a connection of its own and a lock in its session. When either is gone, so
// is the right to move: every method fails then, and the line is to be taken anew. What is read is complete and in one order for
// all: pushes of transactions that began before any that still runs. At least once: what was sent is sent again if move() did not
// come to be.
//
// Errors: PGA_E_TRANSIENT, PGA_E_DEADLINE: the database is away or slow, or the line was cancelled. One thread at a time.
#pragma once

#include "core/postgres/connection.h"
#include "core/server/store/statement_watch.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::server::store {

// Which push: its transaction and its number. As texts, because the database alone compares them.
struct ForwardPlace {
  std::string xid, id;
};

struct ForwardPush {
  ForwardPlace place;
  std::string collector_id;
  std::string collector;  // its name
  std::string received;   // as the database writes it
  std::int64_t received_unix_ns = 0;
  std::int64_t documents = 0;  // that were stored with it
  std::int64_t age_s = 0;      // since it was received
  bool waits = false;          // the schema of one of its documents is on its way, and none other of that plugin is there
};

struct ForwardDocument {
  std::string type, text;
};

class ForwardLine {
 public:
  // Of Store::forward_line(): a connection whose session holds the lock.
  ForwardLine(postgres::Connection connection, StatementWatch& watch, std::string name, int cancel_fd);

  // Puts a new destination at now, and finds the place of another. Returns the documents that are lost to it because the
  // database was restored into another cluster.
  Expected<std::int64_t> begin();

  // What comes behind the place, `most` at most.
  Expected<std::vector<ForwardPush>> next(std::uint32_t most);
  // What was refused at least so long ago.
  Expected<std::vector<ForwardPush>> held(std::int64_t at_least_ms, std::uint32_t most);
  // Of that push; fewer than it had: the others were forgotten meanwhile.
  Expected<std::vector<ForwardDocument>> documents(const ForwardPush& push);

  // Plugin and digest of the newest schema of each.
  Expected<std::vector<std::pair<std::string, std::string>>> newest_schemas();

  // Everything up to and with that push is done with. Not cancelled by the fd: it was sent.
  Outcome move(const ForwardPlace& to);
  // The same, and that push itself was refused: it is held.
  Outcome hold(const ForwardPush& push);
  Outcome hold_again(const ForwardPush& push);
  Outcome release(const ForwardPush& push);  // a held one is done with

  // Now and then: that this destination is still wanted, and what none needs is deleted, some rows of it.
  Outcome tidy();

 private:
  Expected<postgres::Rows> ask(const char* sql, const std::vector<std::optional<std::string>>& parameters, int cancel_fd);
  Expected<std::vector<ForwardPush>> pushes(const char* sql, const std::vector<std::optional<std::string>>& parameters);

  postgres::Connection connection_;
  StatementWatch* watch_;
  std::string name_;
  int cancel_fd_;
  ForwardPlace place_;
};

}  // namespace pganalytics::server::store
