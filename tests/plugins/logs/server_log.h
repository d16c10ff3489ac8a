// The events of a real server's log: what its stderr says, read as the plugin reads it.
#pragma once

#include "plugins/logs/classes/classify.h"
#include "plugins/logs/classes/fields_of.h"
#include "plugins/logs/entries/stderr_entries.h"
#include "plugins/logs/plans/read_plan.h"
#include "tests/plugins/logs/feed.h"
#include "tests/support/postgres_server.h"

#include <libpq-fe.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace pganalytics::logs {

// log_line_prefix of the servers here.
inline const std::string kServerPrefix = "%m [%p] %e ";

// Classified and with fields and plan, not redacted.
inline std::vector<Event> events_of(const testing::PostgresServer& server) {
  std::ifstream file(server.log_file(), std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const LinePrefix prefix = LinePrefix::compile(kServerPrefix).value();
  StderrEntries entries(prefix, 0, false);
  std::vector<Event> events;
  feed(entries, text.str(), events);
  entries.finish(Rest::kOver, events);
  for (Event& event : events) {
    const EventClass* const event_class = classify(event);
    if (event_class == nullptr) continue;
    add_fields(event, *event_class);
    add_plan(event, *event_class);
    describe(event, *event_class);
  }
  return events;
}

// The value of a field; "" if the event has it not.
inline std::string field(const Event& event, std::string_view name) {
  for (const Field& each : event.fields) {
    if (each.name == name) return each.value;
  }
  return "";
}

// Collects the server's events until `enough` of them is true, or a minute is over.
inline std::vector<Event> wait_for_events(const testing::PostgresServer& server,
                                          const std::function<bool(const std::vector<Event>&)>& enough) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    std::vector<Event> events = events_of(server);
    if (enough(events) || std::chrono::steady_clock::now() > deadline) return events;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// A session whose statements may fail: what the server logs is of interest here, not what it answers.
class LoggedSession {
 public:
  explicit LoggedSession(const testing::PostgresServer& server) : connection_(PQconnectdb(server.conninfo().c_str()), PQfinish) {}

  void run(const std::string& sql) { PQclear(PQexec(connection_.get(), sql.c_str())); }
  void send(const std::string& sql) { PQsendQuery(connection_.get(), sql.c_str()); }
  void wait() {
    while (PGresult* const result = PQgetResult(connection_.get())) PQclear(result);
  }
  [[nodiscard]] std::string pid() const { return std::to_string(PQbackendPID(connection_.get())); }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace pganalytics::logs
