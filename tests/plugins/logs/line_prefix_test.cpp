#include "plugins/logs/entries/line_prefix.h"

#include "tests/support/catch.h"

namespace pganalytics::logs {
namespace {

struct Case {
  const char* prefix;
  const char* line;
  const char* time;
  const char* pid;
  const char* user;
  const char* database;
  const char* application;
  const char* sqlstate;
  const char* label;
  const char* text;
};

constexpr Case kMatching[] = {
    {"%m [%p] ", "2026-02-03 04:05:06.789 UTC [12] LOG:  ready", "2026-02-03 04:05:06.789 UTC", "12", "", "", "", "", "LOG",
     "ready"},
    {"%m [%p] ", "2026-02-03 04:05:06.789 +0530 [12] LOG:  ", "2026-02-03 04:05:06.789 +0530", "12", "", "", "", "", "LOG", ""},
    {"", "ERROR:  no prefix: at all", "", "", "", "", "", "", "ERROR", "no prefix: at all"},
    {"%t:%r:%u@%d:[%p]: ", "2026-02-03 04:05:06 UTC:10.0.0.1(5432):bob@shop:[7]: DETAIL:  why", "2026-02-03 04:05:06 UTC", "7",
     "bob", "shop", "", "", "DETAIL", "why"},
    {"%t:%r:%u@%d:[%p]: ", "2026-02-03 04:05:06 UTC::@:[7]: LOG:  background", "2026-02-03 04:05:06 UTC", "7", "", "", "", "",
     "LOG", "background"},
    {"%t:%r:%u@%d:[%p]: ", "2026-02-03 04:05:06 UTC:[local]:a@b@c:[7]: LOG:  odd user", "2026-02-03 04:05:06 UTC", "7", "a",
     "b@c", "", "", "LOG", "odd user"},
    {"%m [%p] %q%u@%d ", "2026-02-03 04:05:06.789 CET [12] bob@shop FATAL:  no", "2026-02-03 04:05:06.789 CET", "12", "bob",
     "shop", "", "", "FATAL", "no"},
    {"%m [%p] %q%u@%d ", "2026-02-03 04:05:06.789 CET [12] LOG:  to x@y HINT:  no", "2026-02-03 04:05:06.789 CET", "12", "", "",
     "", "", "LOG", "to x@y HINT:  no"},
    {"%n|%p|%a|%e|", "1770091506.789|9|my|app|22012|ERROR:  division by zero", "", "9", "", "", "my|app", "22012", "ERROR",
     "division by zero"},
    {"%-8p|%8p|", "12      |      12|WARNING:  padded", "", "12", "", "", "", "", "WARNING", "padded"},
    {"%-2p %10u ", "12345        bob LOG:  wider than its width", "", "12345", "bob", "", "", "", "LOG", "wider than its width"},
    {"%c %l %s %v %x %Q %b %i %P %h %L %%",
     "65bdc0f2.1a 3 2026-02-03 04:05:06 UTC 3/17 0 -42 client backend CREATE TABLE  ::1 [local] %LOG:  all of them", "", "", "",
     "", "", "", "LOG", "all of them"},
    {"%u%d: ", "ab: LOG:  nothing between", "", "", "", "ab", "", "", "LOG", "nothing between"},
    {"%p ", "5 D\xC3\x89TAIL:  traduit", "", "5", "", "", "", "", "D\xC3\x89TAIL", "traduit"},
    {"%m [%p] ", "2026-02-03 04:05:06.789 UTC [12] FEHLER:  Division durch Null", "2026-02-03 04:05:06.789 UTC", "12", "", "", "",
     "", "FEHLER", "Division durch Null"},
};

struct Mismatch {
  const char* prefix;
  const char* line;
};

constexpr Mismatch kOther[] = {
    {"%m [%p] ", "cp: cannot stat '/archive/x'"},
    {"%m [%p] ", "2026-02-03 04:05:06 UTC [12] LOG:  no milliseconds"},
    {"%t [%p] ", "2026-02-03 04:05:06.789 UTC [12] LOG:  milliseconds"},
    {"%m [%p] ", "2026-02-03 04:05:06.789 UTC [12] LOG: one space"},
    {"%m [%p] ", "2026-02-03 04:05:06.789 UTC [] LOG:  no pid"},
    {"%m [%p] ", ""},
    {"%m [%p] ", "2026-02-03"},
    {"", "FEHLER:  without a prefix any word could be a label"},
    {"%a%a%a%a%a%a%a%a%a%a",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
};

}  // namespace

TEST_CASE("line_prefix finds what the server put in") {
  for (const Case& example : kMatching) {
    CAPTURE(example.prefix, example.line);
    const auto prefix = LinePrefix::compile(example.prefix);
    REQUIRE(prefix);
    const auto match = prefix.value().match(example.line);
    REQUIRE(match);
    CHECK(match->time == example.time);
    CHECK(match->pid == example.pid);
    CHECK(match->user == example.user);
    CHECK(match->database == example.database);
    CHECK(match->application == example.application);
    CHECK(match->sqlstate == example.sqlstate);
    CHECK(match->label == example.label);
    CHECK(match->text == example.text);
  }
}

TEST_CASE("line_prefix refuses other lines, and does not take forever over it") {
  for (const Mismatch& example : kOther) {
    CAPTURE(example.prefix, example.line);
    const auto prefix = LinePrefix::compile(example.prefix);
    REQUIRE(prefix);
    CHECK_FALSE(prefix.value().match(example.line));
  }
}

TEST_CASE("line_prefix knows each escape and no others") {
  CHECK(LinePrefix::compile("%a%u%d%r%h%L%b%p%P%t%m%n%i%e%c%l%s%v%x%q%Q%%%-5p%5u"));
  for (const char* wrong : {"%", "%y", "%-", "%5", "%999p", "%5 p", "%--5p"}) {
    CAPTURE(wrong);
    const auto refused = LinePrefix::compile(wrong);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().status == PGA_E_CONFIG);
  }
}

}  // namespace pganalytics::logs
