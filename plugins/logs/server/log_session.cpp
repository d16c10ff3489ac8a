#include "plugins/logs/server/log_session.h"

#include "logs_embedded.h"

#include <algorithm>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::string_view kMark = "/* pganalytics:logs/";
constexpr std::size_t kMaxNameBytes = 255;  // NAME_MAX of Linux
constexpr std::size_t kMaxPids = 8;
constexpr std::int64_t kMaxTime_s = 9'000'000'000;  // its nanoseconds have room in 64 bits

Error answer_error(const std::string& what) {
  return Error{PGA_E_FAIL, "logs.server_answer", "the server's answer " + what, "", 0};
}

bool same_way(const postgres::ReadOnlySession::Profile& a, const postgres::ReadOnlySession::Profile& b) {
  return a.conninfo == b.conninfo && a.password == b.password && a.application_name == b.application_name;
}

Error with_hint(Error error, const std::string& hint) {
  if (error.status == PGA_E_DENIED && error.hint.empty()) error.hint = hint;
  return error;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

}  // namespace

std::optional<std::string> unescaped_bytes(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    const std::size_t escape = std::min(text.find('\\'), text.size());
    bytes.append(text.substr(0, escape));
    text.remove_prefix(escape);
    if (text.empty()) break;
    if (text.size() > 1 && text[1] == '\\') {
      bytes += '\\';
      text.remove_prefix(2);
    } else if (text.size() > 3 && text[1] <= '3' && is_octal(text[1]) && is_octal(text[2]) && is_octal(text[3])) {
      bytes += static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      text.remove_prefix(4);
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

void LogSession::begin_run(postgres::ReadOnlySession::Profile profile) {
  if (!same_way(profile, profile_)) session_.reset();
  profile_ = std::move(profile);
  if (session_) session_->set_deadline(profile_.deadline);
}

Expected<postgres::ReadOnlySession*> LogSession::session() {
  if (session_ && session_->still_open()) return &*session_;
  session_.reset();
  PGA_TRY(auto opened, postgres::ReadOnlySession::open(profile_, ""));
  session_.emplace(std::move(opened));
  if (pids_.size() == kMaxPids) pids_.erase(pids_.begin());
  pids_.push_back(session_->backend_pid());
  return &*session_;
}

// From the mark on: what stands before it in the file would be in the server's log each time.
Expected<postgres::Rows> LogSession::query(std::string sql, const std::vector<std::optional<std::string>>& parameters) {
  sql.erase(0, sql.find(kMark));
  PGA_TRY(postgres::ReadOnlySession* const session, this->session());
  auto rows = parameters.empty() ? session->query(sql) : session->query(sql, parameters);
  if (!session->usable()) session_.reset();
  return rows;
}

Expected<LogSettings> LogSession::settings() {
  PGA_TRY(const auto rows, query(embedded::settings_sql, {}));
  NamedValues values;
  for (int row = 0; row < rows.size(); ++row) {
    values.emplace_back(rows.text(row, 0), rows.text(row, 1));
  }
  NamedValues files;
  const auto current = query(embedded::current_files_sql, {});
  if (!current && current.error().status != PGA_E_DENIED) return current.error();
  for (int row = 0; current && row < current.value().size(); ++row) {
    files.emplace_back(current.value().text(row, 0), current.value().text(row, 1));
  }
  return parse_log_settings(values, files);
}

Expected<LogSession::Listing> LogSession::list() {
  auto rows = query(embedded::list_sql, {});
  if (!rows) return with_hint(std::move(rows).error(), "GRANT pg_monitor to the role that conninfo connects as.");
  Listing listing;
  for (int row = 0; row < rows.value().size(); ++row) {
    const std::string_view name = rows.value().text(row, 0);
    const auto size = rows.value().int64(row, 1);
    const auto modified_s = rows.value().int64(row, 2);
    const bool is_time = modified_s && *modified_s >= 0 && *modified_s < kMaxTime_s;
    const bool is_name = !name.empty() && name.size() <= kMaxNameBytes && name != "." && name != ".." &&
                         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
    if (!is_name || !size || *size < 0 || !is_time) return answer_error("lists a log file that cannot be");
    listing.entries.push_back({std::string(name), static_cast<std::uint64_t>(*size), *modified_s});
    listing.now_s = std::clamp<std::int64_t>(rows.value().int64(row, 3).value_or(0), 0, kMaxTime_s);
  }
  return listing;
}

Expected<std::optional<std::string>> LogSession::read(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t wanted = std::min(length, kMaxReadBytes);
  auto rows = query(embedded::read_sql, {path, std::to_string(offset), std::to_string(wanted)});
  if (!rows) {
    return with_hint(std::move(rows).error(),
                     "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) to the role that "
                     "conninfo connects as: packaging/grants.sql says what that lets it read.");
  }
  if (rows.value().size() != 1) return answer_error("to reading a file has no row");
  if (rows.value().is_null(0, 0)) return std::optional<std::string>();
  auto bytes = unescaped_bytes(rows.value().text(0, 0));
  if (!bytes) return answer_error("to reading a file is not escaped as it should be");
  if (bytes->size() > wanted) return answer_error("to reading a file is longer than was asked for");
  return bytes;
}

void LogSession::close() {
  if (session_) session_->close();
  session_.reset();
}

bool LogSession::is_own_statement(const Event& event) const {
  if (event.severity != Severity::kLog || std::find(pids_.begin(), pids_.end(), event.pid) == pids_.end()) return false;
  return event.message.find(kMark) != std::string::npos || event.statement.find(kMark) != std::string::npos;
}

}  // namespace pganalytics::logs
