#include "plugins/logs/privacy/statement.h"

#include "tests/support/catch.h"

#include <string>

namespace pganalytics::logs {
namespace {

struct Case {
  const char* sql;
  const char* expected;
};

constexpr Case kLiterals[] = {
    {"select 1, 2.5, .5, 1e10, 1.5E-3, 0x1F, 1_000", "select ?, ?, ?, ?, ?, ?, ?"},
    {"select a1, t2.c3, $1, \"x 9\", f_4(b)", "select a1, t2.c3, $1, \"x 9\", f_4(b)"},
    {"select 'x', 'it''s', '', E'it\\'s', e'a\\\\', n'x', b'01', X'ff'", "select ?, ?, ?, ?, ?, ?, ?, ?"},
    {"select U&'d\\0061t', u&\"d\\0061t\", 'x'", "select ?, u&\"d\\0061t\", ?"},
    {"select $$x$$, $a$x $$ y$a$, $\xC3\xA9$x$\xC3\xA9$", "select ?, ?, ?"},
    {"select a$b$c$b$, 1", "select a$b$c$b$, ?"},  // a name may hold $
    {"select $1$$x$$", "select $1?"},
    {"select 'a\\b', 'c\\\\', 'd'", "select ?, ?, ?"},
    {"select -1, a-1, 1..10", "select -?, a-?, ?"},
    {"select 'x'::date, date'x', interval '1' day", "select ?::date, date?, interval ? day"},
    {"select 'x'\n  'y'", "select ?\n  ?"},
    {"select /* 'x' /* y */ z */ 1 -- w\nfrom t", "select   ?  \nfrom t"},
    {"select 1 -- 'x\nfrom t where a = 'y'", "select ?  \nfrom t where a = ?"},
    {"select \"a''b\", 'x', \"c\"\"d\"", "select \"a''b\", ?, \"c\"\"d\""},
    {"select '\xE2\x82\xAC', '\xff\xfe', n\xC3\xA4me", "select ?, ?, n\xC3\xA4me"},
};

// Where a reading of the text leaves it open what is a literal, all behind is one.
constexpr Case kInDoubt[] = {
    {"select 'x\\', 'y'", "select ?"},  // standard_conforming_strings = off: one literal, else two
    {"select 'x\\'', y from z", "select ?"},
    {"select U&'x\\' , y", "select ?"},
    {"select E'a'\n'b\\'c', y", "select ?\n?"},
    {"select 'never closed", "select ?"},
    {"select E'never closed\\'", "select ?"},
    {"select $a$never closed$b$", "select ?"},
    {"select 1 /* never /* closed */ x", "select ?  "},
    {"select \"never closed, x", "select ?"},
    {"select '", "select ?"},
    {"select E'", "select ?"},
};

template <std::size_t N>
void check(const Case (&cases)[N]) {
  for (const Case& example : cases) {
    CAPTURE(example.sql);
    CHECK(without_literals(example.sql) == example.expected);
    CHECK(without_literals(example.expected) == example.expected);
  }
}

}  // namespace

TEST_CASE("literals and comments go, names and parameters stay", "[privacy]") { check(kLiterals); }
TEST_CASE("in doubt the rest is a literal", "[privacy]") { check(kInDoubt); }

TEST_CASE("statements that differ in their values only are one", "[privacy]") {
  CHECK(without_literals("select * from t where a = 'x' and b < 10 /* trace 1 */") ==
        without_literals("select * from t where a = 'it''s y' and b < 2.5 /* trace 2 */"));
}

TEST_CASE("a statement within a context ends at its quote", "[privacy]") {
  const std::string context = "select \"a\", 'b\"\n', $$\"\n$$ from t\"\nPL/pgSQL function f() line 1 at EXECUTE";
  Spans spans;
  CHECK(context.substr(find_literals(context, 0, StatementEnd::kQuotedLine, spans)) ==
        "\"\nPL/pgSQL function f() line 1 at EXECUTE");
  CHECK(spans.size() == 2);
}

TEST_CASE("a statement of a megabyte takes a moment, whatever is in it", "[privacy]") {
  constexpr std::size_t kBytes = 1 << 20;
  for (const char* const piece :
       {"'", "\"", "$", "$a", "$a$ ", "/*", "--", "\\'", "E'", "1e", "(", "''", "$$", "u&", "*/", "/*/"}) {
    CAPTURE(piece);
    std::string sql;
    while (sql.size() < kBytes) sql += piece;
    const std::string masked = without_literals(sql);
    CHECK(without_literals(masked) == masked);
  }
}

}  // namespace pganalytics::logs
