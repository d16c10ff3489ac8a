// The sessions of one server: kept from run to run, up to a cap, because opening one costs the server more than asking it.
//
// One is used at a time. With a cap of 1 the one before is closed, and the server has let go of it, before the next is opened.
// One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "plugins/pg_stats/session.h"

namespace pganalytics::pg_stats {

class SessionPool {
 public:
  // A session with this database ("": the one that conninfo names), kept or new. Valid until the next call of get() or close().
  Expected<Session*> get(const Session::Profile& profile, const std::string& database);
  // Ends those that broke, and the longest unused beyond the cap.
  void tidy(const Session::Profile& profile);
  // At once, without waiting for the server: their settings are old.
  void clear() {
    sessions_.clear();
    packed_until_ns_.clear();
  }

 private:
  struct Kept {
    Session session;
    std::uint64_t used;
  };
  void make_room(std::size_t most);
  Expected<Session> open_in_our_own_room(const Session::Profile& profile, const std::string& database, Error refusal);

  std::map<std::string, Kept> sessions_;
  // Databases that had no room for us even after we had closed all that was ours, and until when that is believed.
  std::map<std::string, std::int64_t> packed_until_ns_;
  std::uint64_t uses_ = 0;
};

}  // namespace pganalytics::pg_stats
