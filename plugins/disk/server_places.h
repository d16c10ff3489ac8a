// Where the server keeps its files, by its own word: data, wal, log, temp, tablespaces; and the bytes of WAL and temporary files.
//
// Here: asking now and then over a connection of its own that is closed again, and what is remembered in between. Not here: which
// file systems these places lie on (disk.cpp), whether the host is the server's (same_host.h). One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/postgres/read_only_session.h"
#include "plugins/disk/gap.h"

namespace pganalytics::disk {

struct ServerPlace {
  std::string name;                          // "data", "wal", "log", "temp", "temp NAME", "tablespace NAME"
  std::string path;                          // on the server's host, as the server has it: pg_wal may be a symbolic link
  std::optional<std::int64_t> files, bytes;  // of wal and temp, in the run that asked
};

class ServerPlaces {
 public:
  // Asks if `every` has passed since the last answer. What goes wrong is told in `gaps`, and what the server said before stays.
  // That it is elsewhere, or that we may not look, is an answer too, told again until it is asked again; a server that did not
  // answer is asked in the next run. `proc_path`: of the host that the places are looked for on.
  void refresh(const postgres::ReadOnlySession::Profile& profile, const std::string& proc_path, std::chrono::milliseconds every,
               std::int64_t now_ns, Gaps& gaps);
  void forget() { *this = ServerPlaces(); }

  // Empty: it has not answered yet, or is not on this host.
  [[nodiscard]] const std::vector<ServerPlace>& places() const { return places_; }

 private:
  std::vector<ServerPlace> places_;
  std::optional<std::int64_t> answered_ns_;
  std::optional<Gap> refusal_;  // the answer, where it was none that helps
};

}  // namespace pganalytics::disk
