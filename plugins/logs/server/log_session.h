// The one session with the server whose log is followed: opened when something is asked, read-only, bounded in time.
//
// Each connection is a line or two in the very log that is read (log_connections), so a session that reads files is kept from run
// to run; one that only asks for settings is closed. Not here: what the answers mean (log_settings.h, server_files.h). One
// thread.
#pragma once

#include "core/postgres/read_only_session.h"
#include "plugins/logs/event.h"
#include "plugins/logs/server/log_settings.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::logs {

class LogSession {
 public:
  // Of the next run: its deadline, and how to connect if no session is kept. What is kept and was opened otherwise is closed.
  void begin_run(postgres::ReadOnlySession::Profile profile);

  // Errors of connecting and of statements are those of core/postgres; what the role may not do is PGA_E_DENIED, with the GRANT
  // as hint.
  Expected<LogSettings> settings();

  struct Entry {
    std::string name;
    std::uint64_t size = 0;       // bytes
    std::int64_t modified_s = 0;  // Unix time of the server's clock, as is now_s
  };
  struct Listing {
    std::vector<Entry> entries;  // the last written first, at most 10,000
    std::int64_t now_s = 0;      // 0: no entries
  };
  // The files of log_directory. Names that no file can have are refused.
  Expected<Listing> list();

  // At most kMaxReadBytes; nullopt: there is no such file (any more).
  Expected<std::optional<std::string>> read(const std::string& path, std::uint64_t offset, std::uint64_t length);

  void close();

  // A statement of our own that the server has logged: left out, or each run would read what the one before has asked. Only of
  // the server's processes that have served this object, so that nobody hides a statement by our comment.
  [[nodiscard]] bool is_own_statement(const Event& event) const;

 private:
  Expected<postgres::ReadOnlySession*> session();
  Expected<postgres::Rows> query(std::string sql, const std::vector<std::optional<std::string>>& parameters);

  postgres::ReadOnlySession::Profile profile_;
  std::optional<postgres::ReadOnlySession> session_;
  std::vector<std::int64_t> pids_;  // of the server's processes that served us, the last ones
};

inline constexpr std::uint64_t kMaxReadBytes = 512 * 1024;

// Bytes that encode(..., 'escape') wrote: "\\" is a backslash, "\ooo" any byte (src/backend/utils/adt/encode.c: esc_encode).
// nullopt: it has not written these.
std::optional<std::string> unescaped_bytes(std::string_view text);

}  // namespace pganalytics::logs
