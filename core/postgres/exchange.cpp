// See the header. libpq is in non-blocking mode here, so no call below waits but wait().
#include "core/postgres/exchange.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/postgres/failure.h"
#include "core/postgres/wait.h"

namespace pganalytics::postgres {

namespace {

constexpr std::size_t kCopyPiece = 64 * 1024;  // bytes libpq buffers before we look at the socket again

// As libpq takes them: nullptr is NULL.
std::vector<const char*> borrowed(const std::vector<std::optional<std::string>>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
  return values;
}

}  // namespace

Error Exchange::failure(const PGresult* result) const { return statement_failure(connection_, result, label_); }

Outcome Exchange::wait(short events) {
  const Woken woken = wait_for(PQsocket(connection_), events, deadline_);
  if (woken.why == Wake::kReady) {
    if (woken.readable && PQconsumeInput(connection_) == 0) return failure();
    return {};
  }
  interrupted_ = true;
  const std::string where = label_ + " on " + target_of(connection_);
  if (woken.why == Wake::kFailed) return Error{PGA_E_FAIL, "pg.poll", where + ": poll: " + std::strerror(errno), "", 0};
  if (woken.why == Wake::kCancelled) return Error{PGA_E_DEADLINE, "pg.cancelled", where + ": cancelled by the caller", "", 0};
  return Error{PGA_E_DEADLINE, "pg.deadline", where + ": no answer before the deadline",
               "Raise the timeout if the server is only slow; pg_stat_activity says what it waits for.", 0};
}

// Reads while it writes: a server that cannot get rid of its answer would never take the rest of the question.
Outcome Exchange::flush() {
  for (;;) {
    const int unsent = PQflush(connection_);
    if (unsent == 0) return {};
    if (unsent < 0) return failure();
    PGA_CHECK(wait(POLLIN | POLLOUT));
  }
}

Expected<Exchange::Result> Exchange::next_result() {
  while (PQisBusy(connection_) != 0) PGA_CHECK(wait(POLLIN));
  return Result(PQgetResult(connection_), PQclear);
}

// Reads to the end, so that the connection is idle again; the first error wins over whatever follows it.
Expected<Rows> Exchange::last_result() {
  Result last(nullptr, PQclear);
  std::optional<Error> error;
  for (;;) {
    PGA_TRY(Result result, next_result());
    if (!result) break;
    switch (PQresultStatus(result.get())) {
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY: last = std::move(result); break;
      case PGRES_COPY_IN: PGA_CHECK(end_copy("COPY FROM STDIN is not expected here")); break;
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        interrupted_ = true;  // only a new connection is sure to be idle
        return Error{PGA_E_FAIL, "pg.protocol",
                     label_ + " on " + target_of(connection_) + ": COPY TO STDOUT is not expected here", "", 0};
      default:
        if (!error) error = failure(result.get());
    }
  }
  if (error) return *std::move(error);
  if (!last) return failure();
  return Rows(last.release());
}

Expected<Rows> Exchange::simple(const std::string& sql) {
  if (PQsendQuery(connection_, sql.c_str()) == 0) return failure();
  PGA_CHECK(flush());
  return last_result();
}

Expected<Rows> Exchange::parameterised(const std::string& sql, const std::vector<std::optional<std::string>>& parameters) {
  const auto values = borrowed(parameters);
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0) ==
      0) {
    return failure();
  }
  PGA_CHECK(flush());
  return last_result();
}

Outcome Exchange::prepare(const std::string& name, const std::string& sql) {
  if (PQsendPrepare(connection_, name.c_str(), sql.c_str(), 0, nullptr) == 0) return failure();
  PGA_CHECK(flush());
  PGA_CHECK(last_result());
  return {};
}

Expected<Rows> Exchange::prepared(const std::string& name, const std::vector<std::optional<std::string>>& parameters) {
  const auto values = borrowed(parameters);
  if (PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0) == 0) {
    return failure();
  }
  PGA_CHECK(flush());
  return last_result();
}

Outcome Exchange::put_copy_data(std::string_view data) {
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kCopyPiece);
    const int queued = PQputCopyData(connection_, piece.data(), static_cast<int>(piece.size()));
    if (queued < 0) return failure();
    if (queued > 0) data.remove_prefix(piece.size());
    // The last piece goes with what follows it.
    if (queued == 0 || piece.size() == kCopyPiece) PGA_CHECK(flush());
  }
  return {};
}

Outcome Exchange::end_copy(const char* refusal) {
  for (;;) {
    const int queued = PQputCopyEnd(connection_, refusal);
    if (queued < 0) return failure();
    PGA_CHECK(flush());
    if (queued > 0) return {};
  }
}

Outcome Exchange::start_copy(const std::string& sql, ExecStatusType direction, const char* name) {
  if (PQsendQuery(connection_, sql.c_str()) == 0) return failure();
  PGA_CHECK(flush());
  PGA_TRY(const Result start, next_result());
  if (PQresultStatus(start.get()) == direction) return {};
  Error error = PQresultStatus(start.get()) == PGRES_FATAL_ERROR
                    ? failure(start.get())
                    : Error{PGA_E_FAIL, "pg.protocol", label_ + " on " + target_of(connection_) + ": not a " + name, "", 0};
  if (auto rest = last_result(); !rest && interrupted_) return rest.error();
  return error;
}

Expected<Rows> Exchange::copy_in(const std::string& sql, const std::vector<std::string_view>& data) {
  PGA_CHECK(start_copy(sql, PGRES_COPY_IN, "COPY FROM STDIN"));
  for (const std::string_view piece : data) PGA_CHECK(put_copy_data(piece));
  PGA_CHECK(end_copy(nullptr));
  return last_result();
}

Expected<Rows> Exchange::copy_out(const std::string& sql, const std::function<Outcome(std::string_view line)>& on_line) {
  PGA_CHECK(start_copy(sql, PGRES_COPY_OUT, "COPY TO STDOUT"));
  for (;;) {
    char* data = nullptr;
    const int length = PQgetCopyData(connection_, &data, 1);
    const std::unique_ptr<char, void (*)(void*)> owned(data, PQfreemem);
    if (length == 0) {
      PGA_CHECK(wait(POLLIN));
      continue;
    }
    if (length < 0) break;  // -1: the end; -2: an error, which is in the result that follows
    std::string_view line(data, static_cast<std::size_t>(length));
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (Outcome taken = on_line(line); !taken) {
      interrupted_ = true;
      return taken.error();
    }
  }
  return last_result();
}

}  // namespace pganalytics::postgres
