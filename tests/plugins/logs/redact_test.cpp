#include "plugins/logs/privacy/redact.h"

#include "tests/support/catch.h"

#include <string>

namespace pganalytics::logs {
namespace {

Event error(const std::string& message) {
  Event event;
  event.severity = Severity::kError;
  event.message = message;
  return event;
}

std::string redacted_message(Event event, Redaction mode) {
  redact(event, mode, true);
  return event.message;
}

struct Case {
  const char* text;
  const char* all;
  const char* parameters;  // nullptr: the same
};

constexpr Case kMessages[] = {
    {"division by zero", "division by zero", nullptr},
    {"duration: 12.5 ms", "duration: 12.5 ms", nullptr},
    {"statement: select a from t where b = 'x'", "statement: [redacted]", "statement: select a from t where b = ?"},
    {"duration: 12.5 ms  statement: select 'x'\nfrom t", "duration: 12.5 ms  statement: [redacted]",
     "duration: 12.5 ms  statement: select ?\nfrom t"},
    {"duration: 12.5 ms  bind <unnamed>: select $1", "duration: 12.5 ms  bind [redacted]",
     "duration: 12.5 ms  bind <unnamed>: select $1"},
    {"execute p: select $1, 2", "execute [redacted]", "execute p: select $1, ?"},
    {"duration: 1.0 ms  plan:\nQuery Text: select 'x'\nResult  (cost=0.00..0.01)", "duration: 1.0 ms  plan:[redacted]",
     "duration: 1.0 ms  plan:\nQuery Text: select ?\nResult  (cost=?)"},
    {"duration: 1.0 ms  plan:\n{\"Query Text\": \"select 'x' from \\\"T\\\"\", \"Query Parameters\": \"$1 = 'x'\", \"Plan\": "
     "{\"Node "
     "Type\": \"Seq Scan\", \"Alias\": \"t\", \"Total Cost\": 2.5, \"Filter\": \"(a = 'x\\\\'::text)\"}}",
     "duration: 1.0 ms  plan:[redacted]",
     "duration: 1.0 ms  plan:\n{\"Query Text\": \"select ? from \\\"T\\\"\", \"Query Parameters\": \"[redacted]\", \"Plan\": "
     "{\"Node "
     "Type\": \"Seq Scan\", \"Alias\": \"t\", \"Total Cost\": 2.5, \"Filter\": \"?\"}}"},
    {"duration: 1.0 ms  plan:\nQuery Text: \"select 'x'\"\nPlan:\n  Node", "duration: 1.0 ms  plan:[redacted]",
     "duration: 1.0 ms  plan:?"},
    {"AUDIT: SESSION,1,1,READ,SELECT,,,select 'x'", "AUDIT: [redacted]", "AUDIT: SESSION,?,?,READ,SELECT,,,select ?"},
    {"syntax error at or near \"x\" at character 5", "syntax error at or near \"[redacted]\" at character 5", nullptr},
    {"syntax error at or near \"x\ny", "syntax error at or near [redacted]", nullptr},
    {"invalid input syntax for type integer: \"a\"b\"", "invalid input syntax for type integer: \"[redacted]\"", nullptr},
    {"invalid input value for enum mood: \"x\"", "invalid input value for enum mood: \"[redacted]\"", nullptr},
    {"value \"7000000000\" is out of range for type integer", "value \"[redacted]\" is out of range for type integer", nullptr},
    {"\"x\" is not a valid binary digit", "\"[redacted]\" is not a valid binary digit", nullptr},
    {"setval: value 7000000000 is out of bounds for sequence \"s\" (1..100)",
     "setval: value [redacted] is out of bounds for sequence \"s\" (1..100)", nullptr},
    {"invalid byte sequence for encoding \"UTF8\": 0xe2 0x28",
     "invalid byte sequence for encoding \"UTF8\": [redacted] [redacted]", nullptr},
    {"invalid value for parameter \"p\": \"x\"", "invalid value for parameter \"p\": \"[redacted]\"", nullptr},
    {"ung\xC3\xBCltige Eingabesyntax f\xC3\xBCr Typ integer: \xC2\xBBx\xC2\xAB",
     "ung\xC3\xBCltige Eingabesyntax f\xC3\xBCr Typ integer: \xC2\xBB[redacted]\xC2\xAB", nullptr},
    {"relation \"t\" does not exist", "relation \"t\" does not exist", nullptr},
    {"column \"c\" of relation \"t\" does not exist", "column \"c\" of relation \"t\" does not exist", nullptr},
    {"duplicate key value violates unique constraint \"t_pkey\"", "duplicate key value violates unique constraint \"t_pkey\"",
     nullptr},
    {"could not open file \"base/1\": No such file", "could not open file \"base/1\": No such file", nullptr},
    {"checkpoint complete: wrote 3 buffers (0.0%)", "checkpoint complete: wrote 3 buffers (0.0%)", nullptr},
    {"automatic vacuum of table \"d.s.t\": index scans: 0\npages: 1",
     "automatic vacuum of table \"d.s.t\": index scans: 0\npages: 1", nullptr},
    {"connection authenticated: identity=\"bob\" method=scram", "connection authenticated: identity=\"bob\" method=scram",
     nullptr},
    {"parameter \"work_mem\" changed to \"64MB\"", "parameter \"work_mem\" changed to \"64MB\"", nullptr},
    {"parameter \"my.setting\" changed to \"x\"", "parameter \"my.setting\" changed to \"[redacted]\"", nullptr},
    {"parameter \"archive_command\" changed to \"x\"", "parameter \"archive_command\" changed to \"[redacted]\"", nullptr},
};

constexpr Case kDetails[] = {
    {"Process holding the lock: 1. Wait queue: 2, 3.", "Process holding the lock: 1. Wait queue: 2, 3.", nullptr},
    {"Process 1 waits for ShareLock on transaction 5; blocked by process 2.\nProcess 2 waits for ShareLock on transaction 6; "
     "blocked "
     "by process 1.\nProcess 1: update t set a = 'x\ny' where b = 1\nProcess 2: update t set a = 'z'",
     "Process 1 waits for ShareLock on transaction 5; blocked by process 2.\nProcess 2 waits for ShareLock on transaction 6; "
     "blocked "
     "by process 1.\nProcess 1: [redacted]\nProcess 2: [redacted]",
     "Process 1 waits for ShareLock on transaction 5; blocked by process 2.\nProcess 2 waits for ShareLock on transaction 6; "
     "blocked "
     "by process 1.\nProcess 1: update t set a = ? where b = ?\nProcess 2: update t set a = ?"},
    {"Key (a, b)=(x, (y)) already exists.", "[redacted]", "Key (a, b)=([redacted]) already exists."},
    {"Key (a)=(x) is not present in table \"t\".", "[redacted]", "Key (a)=([redacted]) is not present in table \"t\"."},
    {"Failing row contains (1, x).", "[redacted]", "Failing row contains [redacted]"},
    {"parameters: $1 = 'x'", "[redacted]", "parameters: [redacted]"},
    {"prepare: prepare p as select 'x'", "[redacted]", "prepare: prepare p as select ?"},
    {"Failed process was running: select 'x'", "[redacted]", "Failed process was running: select ?"},
    {"Token \"x\" is invalid.", "[redacted]", "[redacted]"},
    {"Some words (x)", "[redacted]", "[redacted]"},
    {"Role \"bob\" does not exist.", "[redacted]", "[redacted]"},
    {"The statement was ended by the user.", "[redacted]", "The statement was ended by the user."},
};

constexpr Case kContexts[] = {
    {"while updating tuple (0,1) in relation \"t\"", "while updating tuple (0,1) in relation \"t\"", nullptr},
    {"SQL statement \"select 'x\"\n' from \"T\"\"\nPL/pgSQL function f(integer) line 1 at EXECUTE",
     "SQL statement \"[redacted]\"\nPL/pgSQL function f(integer) line 1 at EXECUTE",
     "SQL statement \"select ? from \"T\"\"\nPL/pgSQL function f(integer) line 1 at EXECUTE"},
    {"PL/pgSQL assignment \"a := 'x'\"\nPL/pgSQL function f() line 1 at assignment",
     "PL/pgSQL assignment \"[redacted]\"\nPL/pgSQL function f() line 1 at assignment",
     "PL/pgSQL assignment \"a := ?\"\nPL/pgSQL function f() line 1 at assignment"},
    {"COPY t, line 1, column a: \"x\"\nPL/pgSQL function f() line 1 at SQL statement", "[redacted]", nullptr},
    {"unnamed portal with parameters: $1 = 'x\ny'", "[redacted]", nullptr},
    {"PL/pgSQL function f() line 1 at SQL statement\nJSON data, line 1: x",
     "PL/pgSQL function f() line 1 at SQL statement\n[redacted]", nullptr},
    {"remote SQL command: select 'x'", "remote SQL command: [redacted]", "remote SQL command: select ?"},
};

const char* expected(const Case& example, Redaction mode) {
  if (mode == Redaction::kNone) return example.text;
  return mode == Redaction::kAll || example.parameters == nullptr ? example.all : example.parameters;
}

template <std::size_t N>
void check(const Case (&cases)[N], std::string Event::*text) {
  for (const Case& example : cases) {
    for (const Redaction mode : {Redaction::kAll, Redaction::kParameters, Redaction::kNone}) {
      CAPTURE(example.text, static_cast<int>(mode));
      Event event = error("division by zero");
      event.*text = example.text;
      redact(event, mode, true);
      CHECK(event.*text == expected(example, mode));
      redact(event, mode, true);
      CHECK(event.*text == expected(example, mode));
    }
  }
}

}  // namespace

TEST_CASE("of messages the server's own words and names stay", "[privacy]") { check(kMessages, &Event::message); }
TEST_CASE("of details what says no data stays", "[privacy]") { check(kDetails, &Event::detail); }
TEST_CASE("of contexts the places stay", "[privacy]") { check(kContexts, &Event::context); }

TEST_CASE("statements are hidden whole, or their literals", "[privacy]") {
  Event event = error("division by zero");
  event.statement = event.internal_query = "select 'x' from t -- y";
  Event masked = event;
  redact(event, Redaction::kAll, true);
  CHECK(event.statement == kRedacted);
  CHECK(event.internal_query == kRedacted);
  redact(masked, Redaction::kParameters, true);
  CHECK(masked.statement == "select ? from t  ");
  CHECK(masked.internal_query == "select ? from t  ");
}

TEST_CASE("what is not the server's own is hidden, unless nothing is", "[privacy]") {
  Event output = error("some program's words");
  output.severity.reset();
  Event raised = error("order 17 of bob is late");
  raised.sqlstate = "P0001";
  raised.detail = raised.hint = "bob";
  Event of_own_state = error("bob is late");
  of_own_state.sqlstate = "BOB01";
  Event noticed = error("bob");
  noticed.severity = Severity::kNotice;
  noticed.context = "PL/pgSQL function f() line 3 at RAISE\nSQL statement \"select f()\"";
  Event in_perl = error("bob");
  in_perl.context = "PL/Perl function \"f\"";
  Event verbose = error("bob");
  verbose.location = "exec_stmt_raise, pl_exec.c:3911";
  for (const Event& event : {output, raised, of_own_state, noticed, in_perl, verbose}) {
    CAPTURE(event.message, event.sqlstate);
    CHECK(redacted_message(event, Redaction::kAll) == kRedacted);
    CHECK(redacted_message(event, Redaction::kParameters) == kRedacted);
    CHECK(redacted_message(event, Redaction::kNone) == event.message);
  }
  redact(raised, Redaction::kParameters, true);
  CHECK(raised.detail == kRedacted);
  CHECK(raised.hint == kRedacted);
}

TEST_CASE("a function's error of the server keeps its message", "[privacy]") {
  Event event = error("division by zero");
  event.sqlstate = "22012";
  event.context = "PL/pgSQL function f() line 3 at assignment";
  event.hint = "Try again.";
  redact(event, Redaction::kAll, true);
  CHECK(event.message == "division by zero");
  CHECK(event.hint == "Try again.");
}

TEST_CASE("messages of no class are hidden below ERROR", "[privacy]") {
  Event event = error("bob logs in");
  event.severity = Severity::kLog;
  Event failure = error("bob fails");
  redact(failure, Redaction::kAll, false);
  CHECK(failure.message == "bob fails");
  Event masked = event;
  redact(event, Redaction::kAll, false);
  CHECK(event.message == kRedacted);
  redact(masked, Redaction::kParameters, false);
  CHECK(masked.message == "bob logs in");
}

TEST_CASE("credentials pass in no mode and no text", "[privacy]") {
  constexpr std::string Event::*kTexts[] = {
      &Event::time_text,   &Event::user,           &Event::database, &Event::application,
      &Event::message,     &Event::detail,         &Event::hint,     &Event::context,
      &Event::statement,   &Event::internal_query, &Event::location, &Event::backtrace,
      &Event::remote_host, &Event::session_id,     &Event::command,  &Event::virtual_transaction,
      &Event::backend_type};
  for (const Redaction mode : {Redaction::kAll, Redaction::kParameters, Redaction::kNone}) {
    Event event = error("");
    for (std::string Event::*text : kTexts) event.*text = "alter role r password 'hush' host=h password=hush";
    redact(event, mode, true);
    for (std::string Event::*text : kTexts) CHECK((event.*text).find("hush") == std::string::npos);
  }
}

TEST_CASE("a message does not quote the password of its statement", "[privacy]") {
  Event event = error("syntax error at or near \"hunter2\"");
  event.statement = "alter role bob password hunter2";
  redact(event, Redaction::kNone, true);
  CHECK(event.message == "syntax error at or near \"[redacted]\"");
  CHECK(event.statement == "alter role bob password [redacted]");
}

}  // namespace pganalytics::logs
