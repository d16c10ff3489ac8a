#include "plugins/logs/privacy/credentials.h"

#include "tests/support/catch.h"

#include <chrono>
#include <string>

namespace pganalytics::logs {
namespace {

struct Case {
  const char* text;
  const char* expected;
};

constexpr Case kNothing[] = {
    {"nothing to hide", nullptr},
    {"password authentication failed for user \"bob\"", nullptr},
    {"User \"bob\" does not have a valid SCRAM secret.", nullptr},
    {"alter role r password null", nullptr},
    {"select token, secret from sessions where token = $1 and secret = $2", nullptr},
    {"https://h/x@y", nullptr},
    {"md5 of something", nullptr},
    {"could not accept SSL connection: EOF detected", nullptr},
    {"connection authorized: user=bob database=shop application_name=psql", nullptr},
    {"connection to server at \"h\" failed", nullptr},
    {"role \"r\" connection limit 5", nullptr},
    {"decrypting is slow", nullptr},
    {"the bearer of this", nullptr},
    {"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----", nullptr},
};

constexpr Case kOfRoles[] = {
    {"create role r password 'x''y' valid until 'z'", "create role r password [redacted] valid until 'z'"},
    {"ALTER ROLE r ENCRYPTED PASSWORD E'x\\'y';", "ALTER ROLE r ENCRYPTED PASSWORD [redacted];"},
    {"alter role r password'x' login", "alter role r password[redacted] login"},
    {"alter role r password\n\t'x' login", "alter role r password\n\t[redacted] login"},
    {"alter role r password /* why */ 'x' login", "alter role r password /* why */ [redacted] login"},
    {"alter role r password 'x'\n'y' login", "alter role r password [redacted] login"},
    {"alter role r password $a$x$y$a$ login", "alter role r password [redacted] login"},
    {"alter role r password U&'x' login", "alter role r password [redacted] login"},
    {"alter role r password 'never closed", "alter role r password [redacted]"},
    {"alter role r password 'x\\''y' login", "alter role r password [redacted]"},  // as the setting is, ends here or there
    {"alter role r password \"x y\" login", "alter role r password [redacted] login"},
    {"alter role r password hunter2 login", "alter role r password [redacted] login"},
    {"alter user r with password 12345", "alter user r with password [redacted]"},
    {"execute 'alter role r password ''x y''' using z", "execute 'alter role r password [redacted]' using z"},
    {"e('e(''alter role r password ''''x y'''''')')", "e('e(''alter role r password [redacted]'')')"},
    {"execute 'alter role r password ''''''x'''",
     "execute 'alter role r password [redacted]"},  // of a value that begins with a quote
    {"execute 'alter role r password ''x''''y'' login'", "execute 'alter role r password [redacted] login'"},
    {"where password = '' and a", "where password = [redacted] and a"},
    {"execute 'alter role r password ''\"x\\''' z", "execute 'alter role r password [redacted]"},
    {"execute 'alter role r password ' || quote_literal('x')", "execute 'alter role r password [redacted]"},
    {"execute format('alter role r password %L', 'x')", "execute format('alter role r password [redacted]"},
    {"E'alter role r password \\'x\\''", "E'alter role r password [redacted]"},
};

constexpr Case kOfConnections[] = {
    {"host=h password=s3cret dbname=d", "host=h password=[redacted] dbname=d"},
    {"host=h password = 's3 cret' dbname=d", "host=h password = [redacted] dbname=d"},
    {"host=h password='s3\\'cret' dbname=d", "host=h password=[redacted]"},
    {"host=h password=s3\\ cret dbname=d", "host=h password=[redacted] dbname=d"},
    {"host=h password=a,b;c&d dbname=d", "host=h password=[redacted] dbname=d"},
    {"sslpassword=x&y", "sslpassword=[redacted]"},
    {"PGPASSWORD=x psql -h h", "PGPASSWORD=[redacted] psql -h h"},
    {"tool --password x --verbose", "tool --password [redacted] --verbose"},
    {"select dblink_connect('c', 'host=h password=''a b''')", "select dblink_connect([redacted])"},
    {"select dblink_connect('c', 'x)y') from t", "select dblink_connect([redacted]) from t"},
    {"select f('host=h user=u', 1)", "select f([redacted], 1)"},
    {"select f(' dbname = d')", "select f([redacted])"},
    {"create subscription s connection 'host=x user=y' publication p",
     "create subscription s connection [redacted] publication p"},
    {"alter subscription s connection\n'service=x'", "alter subscription s connection\n[redacted]"},
    {"create user mapping for u server s options (user 'x', secret_thing 'y')",
     "create user mapping for u server s options ([redacted])"},
    {"alter system set primary_conninfo to 'host=x user=y'", "alter system set primary_conninfo to [redacted]"},
    {"alter system set primary_conninfo = 'host=x password=''y'''", "alter system set primary_conninfo = [redacted]"},
    {"parameter \"primary_conninfo\" changed to \"host=x password='a\"b'\"",
     "parameter \"primary_conninfo\" changed to [redacted]"},
    {"missing \"=\" after \"part\" in connection info string", "missing \"=\" after \"[redacted]\" in connection info string"},
    {"could not translate host name \"art@db1\" to address", "could not translate host name \"[redacted]@db1\" to address"},
};

constexpr Case kOfTheWeb[] = {
    {"see postgresql://bob:pw@h:5432/d?sslmode=require now", "see [redacted] now"},
    {"select f('postgres://bob:p''w@h/d')", "select f('[redacted]')"},
    {"fetch https://bob:pw@h/x", "fetch https://[redacted]@h/x"},
    {"fetch https://ghp_token@h/x", "fetch https://[redacted]@h/x"},
    {"redis://:pw@h/0", "redis://[redacted]@h/0"},
    {"{\"password\": \"x\\\"y\", \"a\": 1}", "{\"password\": [redacted], \"a\": 1}"},
    {"'{\"a\": \"{\\\"password\\\": \\\"x\\\"}\"}'", "'{\"a\": \"{\\\"password\\\": [redacted]"},
    {"json_build_object('password', 'x', 'a', 1)", "json_build_object('password', [redacted], 'a', 1)"},
    {"data->>'token' = 'x' and a", "data->>'token' = [redacted] and a"},
    {"secret_access_key => abc", "secret_access_key => [redacted]"},
    {"<password>x</password> b", "<password>[redacted] b"},
    {"api_key: abc", "api_key: [redacted]"},
    {"Authorization: Bearer abcdef.123456", "Authorization: Bearer [redacted]"},
    {"Authorization: Basic dXNlcjpwdw==", "Authorization: Basic [redacted]"},
    {"'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln'", "'[redacted]'"},
    {"id AKIAIOSFODNN7EXAMPLE end", "id [redacted] end"},
    {"-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "[redacted]-----END RSA PRIVATE KEY-----"},
};

constexpr Case kOfCryptography[] = {
    {"verifier SCRAM-SHA-256$4096:salt$stored:server end", "verifier [redacted] end"},
    {"md50123456789abcdef0123456789abcdef end", "[redacted] end"},
    {"select pgp_sym_encrypt(data, 'key') from t", "select pgp_sym_encrypt([redacted]) from t"},
    {"select pgp_sym_decrypt(f(a, 'x'), 'ke)y'), b", "select pgp_sym_decrypt([redacted]), b"},
    {"select encrypt_iv(data, 'key', 'iv', 'aes')", "select encrypt_iv([redacted])"},
    {"where hash = crypt('pw', hash)", "where hash = crypt([redacted])"},
};

template <std::size_t N>
void check(const Case (&cases)[N]) {
  for (const Case& example : cases) {
    CAPTURE(example.text);
    const std::string expected = example.expected == nullptr ? example.text : example.expected;
    CHECK(without_credentials(example.text) == expected);
    CHECK(without_credentials(expected) == expected);
  }
}

}  // namespace

TEST_CASE("what is no credential stays", "[privacy]") { check(kNothing); }
TEST_CASE("passwords of roles are found", "[privacy]") { check(kOfRoles); }
TEST_CASE("connection strings are found", "[privacy]") { check(kOfConnections); }
TEST_CASE("credentials of URLs, JSON and HTTP are found", "[privacy]") { check(kOfTheWeb); }
TEST_CASE("verifiers and keys are found", "[privacy]") { check(kOfCryptography); }

// Were it quadratic, the test program's limit would be over long before.
TEST_CASE("a text of a megabyte takes a moment, whatever is in it", "[privacy]") {
  for (const char* const piece : {"password",
                                  "password ",
                                  "password /*",
                                  "password=",
                                  "password ''",
                                  "pwd \\'",
                                  "alter role x password ",
                                  "token::",
                                  "'host ",
                                  "://",
                                  "crypt(",
                                  "options (",
                                  "eyJ-",
                                  "bearer ",
                                  "missing \"=\" after \"",
                                  "host name \"",
                                  "-----BEGIN ",
                                  "md5",
                                  "AKIA",
                                  "connection ",
                                  "secret$a",
                                  "'",
                                  "\"password\":\"",
                                  "postgres://'"}) {
    CAPTURE(piece);
    std::string text;
    while (text.size() < 1 << 20) text += piece;
    text += "\nhost=h password=hush";
    CHECK(without_credentials(text).find("hush") == std::string::npos);
  }
}

TEST_CASE("a statement that sets a password is one, right or wrong", "[privacy]") {
  CHECK(sets_role_password("ALTER USER bob PASSWORD hunter2"));
  CHECK(sets_role_password("create role r\nencrypted password 'x'"));
  CHECK_FALSE(sets_role_password("select password from users"));
}

}  // namespace pganalytics::logs
