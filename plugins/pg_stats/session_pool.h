// The sessions of one server: kept from run to run, up to a cap, because opening one costs the server more than asking it.
//
// One is used at a time. With a cap of 1 the one before is closed, and the server has let go of it, before the next is opened.
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/postgres/read_only_session.h"

namespace pganalytics::pg_stats {

class SessionPool {
 public:
  // The cap, at least 1. What is kept is ended at once, without waiting for the server: its settings are old.
  void configure(std::size_t most) {
    most_ = most;
    clear();
  }
  // A session with this database ("": the one that conninfo names), kept or new. Valid until the next call of get() or close().
  Expected<postgres::ReadOnlySession*> get(const postgres::ReadOnlySession::Profile& profile, const std::string& database);
  // Ends those that broke, and the longest unused beyond the cap.
  void tidy(const postgres::ReadOnlySession::Profile& profile);
  // At once, without waiting for the server.
  void clear() {
    sessions_.clear();
    packed_until_ns_.clear();
  }

 private:
  struct Kept {
    postgres::ReadOnlySession session;
    std::uint64_t used;
  };
  void make_room(std::size_t most);
  Expected<postgres::ReadOnlySession> open_in_our_own_room(const postgres::ReadOnlySession::Profile& profile,
                                                           const std::string& database, Error refusal);

  std::size_t most_ = 1;
  std::map<std::string, Kept> sessions_;
  // Databases that had no room for us even after we had closed all that was ours, and until when that is believed.
  std::map<std::string, std::int64_t> packed_until_ns_;
  std::uint64_t uses_ = 0;
};

}  // namespace pganalytics::pg_stats
