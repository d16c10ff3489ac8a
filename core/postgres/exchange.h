// One statement's conversation with the server: send, wait, read to the end, each wait bounded.
//
// Internal to core/postgres; connection.cpp makes one per call and closes the connection if it ends badly.
// Invariant: unless interrupted() or the connection broke, libpq is idle again when a call returns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/connection.h"
#include "core/postgres/libpq.h"

namespace pganalytics::postgres {

class Exchange {
 public:
  Exchange(PGconn* connection, std::string label, const Deadline& deadline)
      : connection_(connection), label_(std::move(label)), deadline_(deadline) {}

  Expected<Rows> simple(const std::string& sql);
  Expected<Rows> parameterised(const std::string& sql, const std::vector<std::optional<std::string>>& parameters);
  Outcome prepare(const std::string& name, const std::string& sql);
  Expected<Rows> prepared(const std::string& name, const std::vector<std::optional<std::string>>& parameters);
  Expected<Rows> copy_in(const std::string& sql, const std::vector<std::string_view>& data);
  Expected<Rows> copy_out(const std::string& sql, const std::function<Outcome(std::string_view line)>& on_line);

  // A wait ended by deadline or cancel: the statement may still run on the server.
  [[nodiscard]] bool interrupted() const { return interrupted_; }

 private:
  using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;

  Outcome wait(short events);
  Outcome flush();
  Expected<Result> next_result();
  Expected<Rows> last_result();
  Outcome start_copy(const std::string& sql, ExecStatusType direction, const char* name);
  Outcome put_copy_data(std::string_view data);
  Outcome end_copy(const char* refusal);
  [[nodiscard]] Error failure(const PGresult* result = nullptr) const;

  PGconn* connection_;
  std::string label_;
  Deadline deadline_;
  bool interrupted_ = false;
};

}  // namespace pganalytics::postgres
