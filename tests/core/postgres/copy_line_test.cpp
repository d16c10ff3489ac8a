// What a server writes as COPY text is what the reader gets back.
#include "core/postgres/copy_line.h"

#include "core/postgres/connection.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics::postgres;
using Fields = std::vector<std::optional<std::string_view>>;

namespace {

Fields split(std::string_view line) {
  Fields fields;
  split_copy_line(line, fields);
  return fields;
}

std::string unescape(std::string_view field) {
  std::string buffer;
  return std::string(unescape_copy_field(field, buffer));
}

}  // namespace

TEST_CASE("a line is split at tabs; NULL is not the empty text") {
  CHECK(split("") == Fields{""});
  CHECK(split("a\t\\N\t\tb\\tc") == Fields{"a", std::nullopt, "", "b\\tc"});
  CHECK(split("\\N") == Fields{std::nullopt});
  CHECK(split("\t") == Fields{"", ""});
}

TEST_CASE("escapes are the server's letters; whatever else stands behind a backslash is itself") {
  CHECK(unescape("plain") == "plain");
  CHECK(unescape("a\\tb\\nc\\rd\\be\\ff\\vg") == "a\tb\nc\rd\be\ff\vg");
  CHECK(unescape("\\\\N") == "\\N");
  CHECK(unescape("\\q") == "q");
  CHECK(unescape("half\\") == "half\\");
}

TEST_CASE("each byte that a text may hold comes through") {
  auto& server = pganalytics::testing::PostgresServer::shared();
  auto connection = Connection::open(server.conninfo(), {}, deadline_in(std::chrono::seconds(60)));
  REQUIRE(connection);
  Fields fields;
  std::string buffer;
  int rows = 0;
  const auto copied = connection->copy_out(
      "COPY (SELECT i, 'x' || chr(i) || 'y', NULL FROM generate_series(1, 400) AS i ORDER BY i) TO STDOUT",
      [&](std::string_view line) -> pganalytics::Outcome {
        split_copy_line(line, fields);
        if (fields.size() != 3 || fields[2]) return pganalytics::Error{PGA_E_FAIL, "test", std::string(line), "", 0};
        ++rows;
        const std::string text(unescape_copy_field(*fields[1], buffer));
        if (rows < 128) CHECK(text == std::string("x") + static_cast<char>(rows) + "y");
        return {};
      },
      deadline_in(std::chrono::seconds(60)));
  REQUIRE(copied);
  CHECK(*copied == 400);
  CHECK(rows == 400);
}
