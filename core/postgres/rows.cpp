// Rows: text of a PGresult to typed values, at this one place and by to_number() (no locale, no silent prefix parse).

#include <pganalytics/text.hpp>

#include "core/postgres/connection.h"
#include "core/postgres/libpq.h"

namespace pganalytics::postgres {

void Rows::Clear::operator()(pg_result* result) const noexcept { PQclear(result); }

Rows::Rows(pg_result* result) : result_(result) {}

int Rows::size() const { return PQntuples(result_.get()); }

int Rows::columns() const { return PQnfields(result_.get()); }

int Rows::column(const char* name) const { return PQfnumber(result_.get(), name); }

std::string_view Rows::name(int column) const {
  const char* const name = PQfname(result_.get(), column);
  return name == nullptr ? "" : name;
}

std::uint32_t Rows::type(int column) const { return PQftype(result_.get(), column); }

bool Rows::is_null(int row, int column) const {
  // libpq answers 1 (NULL) for a row or column out of range, with a notice; a column(-1) is therefore an absent value.
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view Rows::text(int row, int column) const {
  if (is_null(row, column)) return "";
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::int64_t> Rows::int64(int row, int column) const { return to_number<std::int64_t>(text(row, column)); }

std::optional<double> Rows::number(int row, int column) const { return to_number<double>(text(row, column)); }

std::optional<bool> Rows::boolean(int row, int column) const {
  const std::string_view value = text(row, column);
  if (value == "t") return true;
  if (value == "f") return false;
  return std::nullopt;
}

std::int64_t Rows::affected() const { return to_number<std::int64_t>(PQcmdTuples(result_.get())).value_or(0); }

}  // namespace pganalytics::postgres
