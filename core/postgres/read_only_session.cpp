#include "core/postgres/read_only_session.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace pganalytics::postgres {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Client encodings. A database in SQL_ASCII holds any bytes, and the server fails a statement whose bytes are no UTF-8; so there
// they come as they are, and JsonWriter mends them.
constexpr const char* kText = "UTF8";
constexpr const char* kBytes = "SQL_ASCII";

std::string ms(std::chrono::milliseconds time) { return std::to_string(time.count()) + "ms"; }

// Tells whoever looks into pg_stat_activity whose statement it is.
std::string comment(const ReadOnlySession::Profile& profile) { return "/* pganalytics:" + profile.asker + "/session */ "; }

// What keeps us harmless on a production server. Values hold no spaces: start-up options are split at them.
Pairs safety_of(const ReadOnlySession::Profile& profile) {
  Pairs settings = {{"default_transaction_read_only", "on"},
                    {"statement_timeout", ms(profile.statement_timeout)},
                    {"lock_timeout", ms(profile.lock_timeout)},
                    {"idle_in_transaction_session_timeout", "10s"},
                    {"search_path", "pg_catalog"},
                    {"DateStyle", "ISO"},
                    {"TimeZone", "UTC"},
                    {"jit", "off"},  // compiling costs more than our statements do, and its memory is not given back
                    {"max_parallel_workers_per_gather", "0"}};
  settings.insert(settings.end(), profile.settings.begin(), profile.settings.end());
  return settings;
}

Expected<std::string> startup_options(const ReadOnlySession::Profile& profile) {
  PGA_TRY(const auto theirs, conninfo_value(profile.conninfo, "options"));
  std::string options = theirs.value_or("");
  for (const auto& [name, value] : safety_of(profile)) options += " -c " + name + "=" + value;
  return options;
}

std::string transaction_prologue(const ReadOnlySession::Profile& profile) {
  std::string sql = "BEGIN READ ONLY";
  for (const auto& [name, value] : safety_of(profile)) sql += "; SET LOCAL " + name + " = '" + value + "'";
  return sql;
}

// libpq finds out by whether a session may write, and ours may nowhere.
Expected<std::optional<std::string>> wanted_server(const std::string& conninfo) {
  PGA_TRY(auto wanted, conninfo_value(conninfo, "target_session_attrs"));
  if (wanted == "read-write") wanted = "primary";
  if (wanted == "read-only") wanted = "standby";
  return wanted;
}

Expected<Connection> connect(const ReadOnlySession::Profile& profile, const std::string& database, const std::string* options) {
  const auto connect_seconds = std::chrono::ceil<std::chrono::seconds>(profile.connect_timeout).count();
  Pairs parameters{{"application_name", profile.application_name},
                   {"connect_timeout", std::to_string(connect_seconds)},
                   {"client_encoding", kText}};  // names in JSON, whatever the encoding of their database
  PGA_TRY(const auto server, wanted_server(profile.conninfo));
  if (server) parameters.emplace_back("target_session_attrs", *server);
  if (!database.empty()) parameters.emplace_back("dbname", database);
  if (!profile.password.empty()) parameters.emplace_back("password", profile.password);
  if (options != nullptr) parameters.emplace_back("options", *options);
  return Connection::open(profile.conninfo, parameters, profile.deadline);
}

// PgBouncer: 08P01 "unsupported startup parameter: options". A server of ours never answers so.
bool refuses_options(const Error& error) {
  return error.code == "08P01" && error.message.find("startup parameter") != std::string::npos;
}

// The settings are all there, or none is: they came in one packet. lock_timeout speaks for them, because it matters most;
// SHOW, because it is answered without a look into the catalog, which may be locked while no timeout protects us yet.
Expected<bool> settings_arrived(Connection& connection, const ReadOnlySession::Profile& profile) {
  PGA_TRY(const auto rows, connection.execute(comment(profile) + "SHOW lock_timeout", profile.deadline));
  return rows.text(0, 0) == ms(profile.lock_timeout);
}

}  // namespace

Expected<ReadOnlySession> ReadOnlySession::open(const Profile& profile, const std::string& database) {
  PGA_TRY(const std::string options, startup_options(profile));
  auto connection = connect(profile, database, &options);
  const bool refused = !connection && refuses_options(connection.error());
  if (refused) connection = connect(profile, database, nullptr);
  if (!connection) return std::move(connection).error();
  bool arrived = false;
  if (!refused) {
    PGA_TRY(arrived, settings_arrived(*connection, profile));
  }
  const bool has_bytes = connection->server_encoding() == kBytes;
  const std::string set_encoding = std::string("client_encoding = '") + kBytes + "'";
  ReadOnlySession session(std::move(connection).value(), profile.deadline);
  if (!arrived) {
    session.prologue_ = transaction_prologue(profile) + (has_bytes ? "; SET LOCAL " + set_encoding : "");
  } else if (has_bytes) {
    PGA_CHECK(session.query(comment(profile) + "SET " + set_encoding));
  }
  return session;
}

template <class Statement>
auto ReadOnlySession::in_safety(Statement&& statement) -> decltype(statement()) {
  if (prologue_.empty()) return statement();
  PGA_CHECK(connection_.execute(prologue_, deadline_));
  auto result = statement();
  if (connection_.usable()) PGA_CHECK(connection_.execute("ROLLBACK", deadline_));
  return result;
}

Expected<Rows> ReadOnlySession::query(const std::string& sql) {
  return in_safety([&] { return connection_.execute(sql, deadline_); });
}

Expected<Rows> ReadOnlySession::query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters) {
  return in_safety([&] { return connection_.query(sql, parameters, deadline_); });
}

Expected<std::int64_t> ReadOnlySession::read(const std::string& select,
                                             const std::function<Outcome(std::string_view line)>& on_line) {
  return in_safety([&] { return connection_.copy_out("COPY (" + select + ") TO STDOUT", on_line, deadline_); });
}

}  // namespace pganalytics::postgres
