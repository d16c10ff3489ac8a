#include "core/server/store/forward_line.h"

#include "core/server/store/impl.h"

#include <chrono>
#include <utility>

namespace pganalytics::server::store {
namespace {

constexpr std::int64_t kTidyRows = 20'000;
constexpr auto kMoveTime = std::chrono::seconds(5);  // a server that stops waits for so long at most

ForwardPush push_of(const postgres::Rows& rows, int row) {
  ForwardPush push;
  push.place = {std::string(rows.text(row, 0)), std::string(rows.text(row, 1))};
  push.collector_id = rows.text(row, 2);
  push.collector = rows.text(row, 3);
  push.received = rows.text(row, 4);
  push.received_unix_ns = rows.int64(row, 5).value_or(0) * 1'000;
  push.documents = rows.int64(row, 6).value_or(0);
  push.age_s = rows.int64(row, 7).value_or(0);
  push.waits = rows.boolean(row, 8).value_or(false);
  return push;
}

}  // namespace

ForwardLine::ForwardLine(postgres::Connection connection, StatementWatch& watch, std::string name, int cancel_fd)
    : connection_(std::move(connection)), watch_(&watch), name_(std::move(name)), cancel_fd_(cancel_fd) {}

Expected<postgres::Rows> ForwardLine::ask(const char* sql, const Parameters& parameters, int cancel_fd) {
  const auto deadline = cancel_fd < 0 ? postgres::deadline_in(kMoveTime) : call_deadline(cancel_fd);
  return watched(*watch_, sql, [&] { return connection_.query(sql, parameters, deadline); });
}

Expected<std::int64_t> ForwardLine::begin() {
  PGA_TRY(const postgres::Rows begun, ask(embedded::forward_begin_sql, {name_}, cancel_fd_));
  place_ = {std::string(begun.text(0, 0)), std::string(begun.text(0, 1))};
  return begun.int64(0, 2).value_or(0);
}

Expected<std::vector<ForwardPush>> ForwardLine::pushes(const char* sql, const Parameters& parameters) {
  PGA_TRY(const postgres::Rows rows, ask(sql, parameters, cancel_fd_));
  std::vector<ForwardPush> pushes;
  for (int row = 0; row < rows.size(); ++row) pushes.push_back(push_of(rows, row));
  return pushes;
}

Expected<std::vector<ForwardPush>> ForwardLine::next(std::uint32_t most) {
  return pushes(embedded::forward_next_sql, {place_.xid, place_.id, std::to_string(most)});
}

Expected<std::vector<ForwardPush>> ForwardLine::held(std::int64_t at_least_ms, std::uint32_t most) {
  return pushes(embedded::forward_held_sql, {name_, std::to_string(at_least_ms), std::to_string(most)});
}

Expected<std::vector<ForwardDocument>> ForwardLine::documents(const ForwardPush& push) {
  PGA_TRY(const postgres::Rows rows, ask(embedded::forward_documents_sql, {push.collector_id, push.received}, cancel_fd_));
  std::vector<ForwardDocument> documents;
  for (int row = 0; row < rows.size(); ++row) {
    documents.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1))});
  }
  return documents;
}

Expected<std::vector<std::pair<std::string, std::string>>> ForwardLine::newest_schemas() {
  PGA_TRY(const postgres::Rows rows, ask(embedded::schemas_newest_sql, {}, cancel_fd_));
  std::vector<std::pair<std::string, std::string>> schemas;
  for (int row = 0; row < rows.size(); ++row) schemas.emplace_back(rows.text(row, 0), rows.text(row, 1));
  return schemas;
}

Outcome ForwardLine::move(const ForwardPlace& to) {
  PGA_CHECK(ask(embedded::forward_move_sql, {name_, to.xid, to.id}, -1));
  place_ = to;
  return {};
}

Outcome ForwardLine::hold(const ForwardPush& push) {
  PGA_CHECK(ask(embedded::forward_hold_sql,
                {name_, push.place.xid, push.place.id, push.collector_id, push.received, std::to_string(push.documents)}, -1));
  place_ = push.place;
  return {};
}

Outcome ForwardLine::hold_again(const ForwardPush& push) {
  PGA_CHECK(ask(embedded::forward_hold_again_sql, {name_, push.place.xid, push.place.id}, -1));
  return {};
}

Outcome ForwardLine::release(const ForwardPush& push) {
  PGA_CHECK(ask(embedded::forward_release_sql, {name_, push.place.xid, push.place.id}, -1));
  return {};
}

Outcome ForwardLine::tidy() {
  PGA_CHECK(ask(embedded::forward_seen_sql, {name_}, cancel_fd_));
  PGA_CHECK(ask(embedded::forward_forget_sql, {std::to_string(kTidyRows)}, cancel_fd_));
  return {};
}

}  // namespace pganalytics::server::store
