// Who may forward to a destination.
#include "core/server/store/impl.h"

#include <utility>

namespace pganalytics::server::store {

Expected<std::optional<ForwardLine>> Store::forward_line(const std::string& name, int cancel_fd) {
  PGA_TRY(postgres::Connection connection, impl_->pool.connect(cancel_fd));
  PGA_CHECK(connection.execute(embedded::forward_session_sql, call_deadline(cancel_fd)));
  PGA_TRY(const postgres::Rows locked, connection.query(embedded::forward_lock_sql, {name}, call_deadline(cancel_fd)));
  if (!locked.boolean(0, 0).value_or(false)) return std::optional<ForwardLine>();
  return std::optional<ForwardLine>(ForwardLine(std::move(connection), impl_->pool.statements, name, cancel_fd));
}

}  // namespace pganalytics::server::store
