#include "plugins/logs/privacy.h"

#include "tests/support/catch.h"

namespace pganalytics::logs {
namespace {

struct Case {
  const char* text;
  const char* expected;
};

constexpr Case kCredentials[] = {
    {"nothing to hide", "nothing to hide"},
    {"password authentication failed for user \"bob\"", "password authentication failed for user \"bob\""},
    {"create role r password 'x''y' valid until 'z'", "create role r password [redacted] valid until 'z'"},
    {"ALTER ROLE r ENCRYPTED PASSWORD E'x\\'y';", "ALTER ROLE r ENCRYPTED PASSWORD [redacted];"},
    {"alter role r password $a$x$y$a$ login", "alter role r password [redacted] login"},
    {"alter role r password U&'x' login", "alter role r password [redacted] login"},
    {"alter role r password 'never closed", "alter role r password [redacted]"},
    {"host=h password=s3cret dbname=d", "host=h password=[redacted] dbname=d"},
    {"host=h password = 's3 cret' dbname=d", "host=h password = [redacted] dbname=d"},
    {"sslpassword=x&y", "sslpassword=[redacted]&y"},
    {"see postgresql://bob:pw@h:5432/d?sslmode=require now", "see [redacted] now"},
    {"fetch https://bob:pw@h/x", "fetch https://[redacted]@h/x"},
    {"fetch https://h/x@y", "fetch https://h/x@y"},
    {"{\"password\": \"x\\\"y\", \"a\": 1}", "{\"password\": [redacted], \"a\": 1}"},
    {"secret_access_key => abc", "secret_access_key => [redacted]"},
    {"verifier SCRAM-SHA-256$4096:salt$stored:server end", "verifier [redacted] end"},
    {"md50123456789abcdef0123456789abcdef end", "[redacted] end"},
    {"md5 of something", "md5 of something"},
    {"create subscription s connection 'host=x user=y' publication p",
     "create subscription s connection [redacted] publication p"},
    {"parameter \"primary_conninfo\" changed to \"host=x user=y\"", "parameter \"primary_conninfo\" changed to [redacted]"},
    {"could not accept SSL connection: EOF detected", "could not accept SSL connection: EOF detected"},
    {"connection authorized: user=bob database=shop", "connection authorized: user=bob database=shop"},
    {"connection to server at \"h\" failed", "connection to server at \"h\" failed"},
};

constexpr Case kMessages[] = {
    {"division by zero", "division by zero"},
    {"statement: select secret from t", "statement: [redacted]"},
    {"duration: 12.5 ms", "duration: 12.5 ms"},
    {"duration: 12.5 ms  statement: select 'x'\nfrom t", "duration: 12.5 ms  statement: [redacted]"},
    {"duration: 12.5 ms  bind <unnamed>: select $1", "duration: 12.5 ms  bind [redacted]"},
    {"duration: 1.0 ms  plan:\nQuery Text: select 'x'", "duration: 1.0 ms  plan:[redacted]"},
    {"execute p: select $1", "execute [redacted]"},
    {"AUDIT: SESSION,1,1,READ,SELECT,,,select 'x'", "AUDIT: [redacted]"},
    {"syntax error at or near \"x\" at character 5", "syntax error at or near \"[redacted]\" at character 5"},
    {"invalid input syntax for type integer: \"a\"b\"", "invalid input syntax for type integer: \"[redacted]\""},
    {"value \"7000000000\" is out of range for type integer", "value \"[redacted]\" is out of range for type integer"},
    {"relation \"t\" does not exist", "relation \"t\" does not exist"},
    {"duplicate key value violates unique constraint \"t_pkey\"", "duplicate key value violates unique constraint \"t_pkey\""},
    {"checkpoint complete: wrote 3 buffers (0.0%)", "checkpoint complete: wrote 3 buffers (0.0%)"},
    {"automatic vacuum of table \"d.s.t\": index scans: 0\npages: 1",
     "automatic vacuum of table \"d.s.t\": index scans: 0\npages: 1"},
};

}  // namespace

TEST_CASE("credentials never pass") {
  for (const Case& example : kCredentials) {
    CAPTURE(example.text);
    CHECK(without_credentials(example.text) == example.expected);
  }
}

TEST_CASE("redact = all hides statements and data in messages, and keeps the rest") {
  for (const Case& example : kMessages) {
    CAPTURE(example.text);
    Event event;
    event.severity = Severity::kError;
    event.message = example.text;
    hide_private(event);
    CHECK(event.message == example.expected);
  }
}

TEST_CASE("redact = all hides whole texts, and output that is not the server's") {
  Event event;
  event.severity = Severity::kError;
  event.message = "division by zero";
  event.detail = event.context = event.statement = event.internal_query = "select 'x'";
  event.location = "f, f.c:1";
  event.hint = "try again";
  hide_private(event);
  CHECK(event.message == "division by zero");
  CHECK(event.detail == kRedacted);
  CHECK(event.context == kRedacted);
  CHECK(event.statement == kRedacted);
  CHECK(event.internal_query == kRedacted);
  CHECK(event.location == "f, f.c:1");
  CHECK(event.hint == "try again");
  event.severity.reset();
  hide_private(event);
  CHECK(event.message == kRedacted);
}

TEST_CASE("redact = none passes texts, and no password") {
  Event event;
  event.message = "statement: alter role r password 'x'";
  event.statement = event.internal_query = "alter role r password 'x'";
  event.detail = "Key (a)=(b) already exists.";
  hide_credentials(event);
  CHECK(event.message == "statement: alter role r password [redacted]");
  CHECK(event.statement == "alter role r password [redacted]");
  CHECK(event.internal_query == "alter role r password [redacted]");
  CHECK(event.detail == "Key (a)=(b) already exists.");
}

}  // namespace pganalytics::logs
