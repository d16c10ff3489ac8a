#include "tests/plugins/logs/secret_uses.h"

#include "tests/support/catch.h"

#include <array>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace pganalytics::logs {
namespace {

using postgres::Connection;
using postgres::deadline_in;

constexpr std::chrono::seconds kPatience(30);

std::string doubled(std::string_view text, char quote) {
  std::string all;
  for (const char c : text) all += c == quote ? std::string(2, quote) : std::string(1, c);
  return all;
}

std::string with_backslashes(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (c == '\'' || c == '\\') all += '\\';
    all += c;
  }
  return all;
}

// {literal} 'x'   {escaped} E'x'   {dollar} $..$x$..$   {nested} ''x'', within a literal   {conninfo} a value in a connection
// string that is a literal   {core} the core alone   {number} an integer   {serial} a number for names
std::string filled(std::string_view sql, const Secret& secret, std::size_t serial = 0) {
  const std::pair<std::string_view, std::string> places[] = {
      {"{literal}", "'" + doubled(secret.text, '\'') + "'"},
      {"{escaped}", "E'" + with_backslashes(secret.text) + "'"},
      {"{dollar}", "$places$" + secret.text + "$places$"},
      {"{nested}", "''" + doubled(doubled(secret.text, '\''), '\'') + "''"},
      {"{conninfo}", doubled("'" + with_backslashes(secret.text) + "'", '\'')},
      {"{core}", secret.core},
      {"{number}", secret.core},
      {"{serial}", std::to_string(serial)},
  };
  std::string all(sql);
  for (const auto& [place, value] : places) {
    for (std::size_t at = 0; (at = all.find(place, at)) != std::string::npos; at += value.size())
      all.replace(at, place.size(), value);
  }
  return all;
}

struct Use {
  SecretKind kind;
  const char* sql;
};

constexpr SecretKind kValue = SecretKind::kValue;
constexpr SecretKind kCredential = SecretKind::kCredential;

// Several statements in one string run in one transaction, and are one STATEMENT.
constexpr Use kStatements[] = {
    {kValue, "select {literal}"},
    {kValue, "select {escaped}, 1/0"},
    {kValue, "select {dollar}, 1/0"},
    {kValue, "select n'{core}', b'01', 1/0"},
    {kValue, "select U&'{core}\\0061', 1/0"},
    {kValue, "select 'a'\n  {literal}, 1/0"},
    {kValue, "select {number}, 1/0"},
    {kValue, "select -{number}.5e3 from no_such_table"},
    {kValue, "select /* {core} /* nested */ */ 1/0"},
    {kValue, "select 1/0 -- {core}\n"},
    {kValue, "select {literal} from no_such_table"},
    {kValue, "select {literal}::integer"},
    {kValue, "select {literal}::date"},
    {kValue, "select {literal}::numeric"},
    {kValue, "select {literal}::uuid"},
    {kValue, "select {literal}::mood"},
    {kValue, "select ('{' || {literal})::integer[]"},
    {kValue, "select ('[{' || {literal})::json"},
    {kValue, "select ('{\"a\": ' || {literal} || '}')::jsonb"},
    {kValue, "select {number}::integer"},
    {kValue, "select '{number}'::smallint"},
    {kValue, "select setval('numbers', {number})"},
    {kValue, "select 'a' ~ ('(' || {literal})"},
    {kValue, "select to_date({literal}, 'YYYY')"},
    {kValue, "select jsonb_path_query('{}', 'strict $.{core}')"},
    {kValue, "set timezone = {literal}"},
    {kValue, "set work_mem = {literal}"},
    {kValue, "set my.setting = {literal}; select 1/0"},
    {kValue, "select set_config('my.setting', {literal}, false)"},
    {kValue, "selec {literal}"},
    {kValue, "select 'x' {literal}"},
    {kValue, "select 1 as a '{core}"},
    {kValue, "select $never$ {core}"},
    {kValue, "select \"{core} 1/0"},
    {kValue, "select {dollar}::text || E'never closed\\'"},
    {kValue, "prepare p as select $1::integer; execute p({literal})"},
    {kValue, "prepare q as select {literal}, 1/0; execute q"},
    {kValue, "begin; declare c cursor for select {literal}; fetch c; commit"},
    {kValue, "declare d cursor with hold for select 1/0, {literal}; fetch d"},
    {kValue, "do $do$ begin perform {literal}, 1/0; end $do$"},
    {kValue, "do $do$ begin execute 'select {nested} from'; end $do$"},
    {kValue, "do $do$ declare a text := {literal}; begin a := a || (1/0)::text; end $do$"},
    {kValue, "do $do$ begin execute 'select $1::integer' using {literal}; end $do$"},
    {kValue, "select divide({literal})"},
    {kValue, "select 'x' where true is not distinct from (select count(*) > 0 from rows where a = {literal}); select 1/0"},
    {kValue, "comment on table rows is {literal}; select 1/0"},
    {kValue, "select pg_notify('channel', {literal}), 1/0"},
    {kValue, "copy (select {literal}, 1/0) to stdout"},
    {kValue, "set standard_conforming_strings = off; select '\\'{core}\\\\', 1/0; set standard_conforming_strings = on"},
    {kValue, "set statement_timeout = '10ms'; select {literal}, pg_sleep(30)"},
    {kValue, "select count(*) from (select {literal} || g from generate_series(1, 20000) g order by 1) s"},
    {kValue, "load 'auto_explain'; set auto_explain.log_format = json; select * from rows where a = {literal}"},
    {kValue, "load 'auto_explain'; set auto_explain.log_format = yaml; select * from rows where a = {literal}"},
    {kValue, "load 'auto_explain'; set auto_explain.log_format = xml; select * from rows where a = {literal}"},
    {kValue, "insert into rows values ({literal}, 1); insert into rows values ({literal}, 2)"},
    {kValue, "insert into rows values ({literal}, null)"},
    {kValue, "insert into rows values ({literal}, -1)"},
    {kValue, "insert into rows values ({literal}, {literal})"},
    {kValue, "insert into children values ({literal})"},
    {kValue, "insert into parts values ({literal})"},
    {kValue, "insert into short values ({literal})"},
    {kValue, "do $do$ begin raise exception '%', {literal}; end $do$"},
    {kValue, "do $do$ begin raise notice '%', {literal}; end $do$"},
    {kValue, "do $do$ begin raise log '%', {literal}; end $do$"},
    {kValue, "do $do$ begin raise warning 'checkpoint starting: %', {literal}; end $do$"},
    {kValue, "do $do$ begin raise 'told' using errcode = '22012', detail = {literal}; end $do$"},
    {kValue, "do $do$ begin raise 'told' using errcode = 'XY001', hint = {literal}; end $do$"},
    {kValue, "do $do$ begin assert false, {literal}; end $do$"},
    {kValue, "select say({literal})"},
    {kCredential, "create role r{serial} password {literal}"},
    {kCredential, "alter role changed encrypted password {escaped}"},
    {kCredential, "alter user changed with password {dollar} valid until 'infinity'"},
    {kCredential, "alter role changed password {core}"},
    {kCredential, "alter role changed password \"{core}\""},
    {kCredential, "alter role changed password /* of old */ {literal} nonsense"},
    {kCredential, "do $do$ begin execute 'alter role changed password {nested}'; end $do$"},
    {kCredential, "do $do$ begin execute format('alter role changed password %L', {literal}); end $do$"},
    {kCredential, "do $do$ begin execute 'alter role changed password ' || quote_literal({literal}) || 'x'; end $do$"},
    {kCredential, "create subscription s{serial} connection 'host=/nowhere password={conninfo}' publication p"},
    {kCredential, "create subscription s connection 'host=/nowhere password={conninfo} port' publication p"},
    {kCredential, "select dblink_connect('host=/nowhere user=x password={conninfo}')"},
    {kCredential, "select * from dblink('host=/nowhere password = {core}', 'select 1') as t(a integer)"},
    {kCredential, "alter system set primary_conninfo = 'host=/nowhere password={conninfo}'"},
    {kCredential, "alter system set primary_conninfo to 'postgresql://x:{core}@nowhere/'"},
    {kCredential, "create user mapping if not exists for changed server nowhere options (user 'x', password {literal})"},
    {kCredential, "create user mapping for changed server nowhere options (password {literal}, password 'x')"},
    {kCredential, "create server x foreign data wrapper postgres_fdw options (passfile {literal}, nonsense 'x')"},
    {kCredential, "select pgp_sym_encrypt('data', {literal}), 1/0"},
    {kCredential, "select pgp_sym_decrypt('data', {literal})"},
    {kCredential, "select crypt({literal}, gen_salt('md5')), 1/0"},
    {kCredential, "select 'fetch https://user:{core}@example.com/x', 1/0"},
    {kCredential, "select '{\"user\": \"x\", \"password\": \"{core}\"}'::json, 1/0"},
    {kCredential, "select jsonb_build_object('api_key', {literal}), 1/0"},
    {kCredential, "select 'Authorization: Bearer {core}', 1/0"},
    {kCredential, "select 'eyJhbGciOiJub25lIn0.{core}.c2ln', 1/0"},
    {kCredential, "set my.secret_token = {literal}; select 1/0"},
    {kCredential, "set application_name = 'tool --password={core}'; select 1/0"},
    {kCredential, "alter system set archive_command = 'PGPASSWORD={core} false'"},
};

// Names of what could tell two readings of a log apart.
constexpr std::string_view kHostile[] = {"",
                                         "",
                                         "",
                                         " ",
                                         "'",
                                         "''",
                                         "\"",
                                         "\\",
                                         "\\'",
                                         "$$",
                                         "--",
                                         "/*",
                                         "*/",
                                         "\n",
                                         "\n\t",
                                         "=",
                                         "(",
                                         ")",
                                         ")=(",
                                         ",",
                                         ";",
                                         "@",
                                         ": ",
                                         "\"\n",
                                         "' || '",
                                         "\xC3\xA9",
                                         "\xE2\x80\x9C",
                                         "?",
                                         "[redacted]",
                                         "://",
                                         "password",
                                         "\nDETAIL:  x",
                                         "{",
                                         "}",
                                         "%"};

class Uses {
 public:
  Uses(testing::PostgresServer& server, std::uint64_t seed) : server_(server), random_(seed) {}

  std::vector<Secret> run(std::size_t count) {
    prepare();
    while (secrets_.size() < count) {
      for (const Use& use : kStatements) run(session(), filled(use.sql, next(use.kind, is_number(use.sql)), secrets_.size()));
      for (int i = 0; i < 4; ++i) parameters();
      for (int i = 0; i < 3; ++i) copies();
      application_names();
      waits();
      server_.reload();
    }
    return std::move(secrets_);
  }

 private:
  // What the server answers is not of interest here, what it logs is.
  static void run(Connection& connection, const std::string& sql) { static_cast<void>(connection.execute(sql, patience())); }
  static void run(Connection& connection, const std::string& sql, const std::string& parameter) {
    static_cast<void>(connection.query(sql, {parameter}, patience()));
  }
  static void copy(Connection& connection, const std::string& sql, const std::string& data) {
    static_cast<void>(connection.copy_in(sql, {data, "\n"}, patience()));
  }

  static postgres::Deadline patience() { return deadline_in(kPatience); }
  static bool is_number(std::string_view sql) { return sql.find("{number}") != std::string_view::npos; }

  Connection open(const std::vector<std::pair<std::string, std::string>>& parameters = {}) {
    auto opened = Connection::open(server_.conninfo(), parameters, patience());
    REQUIRE(opened);
    return std::move(opened).value();
  }

  // A new one each time: statements leave settings, transactions and cursors behind.
  Connection& session() {
    session_.emplace(open());
    return *session_;
  }

  void prepare() {
    server_.sql("postgres",
                "create extension dblink; create extension pgcrypto; create extension postgres_fdw;"
                "create server nowhere foreign data wrapper postgres_fdw; create role changed; create sequence numbers;"
                "create type mood as enum ('good'); create table rows(a text primary key, b integer not null check (b > 0));"
                "create table children(a text references rows); create table parts(a text) partition by list (a);"
                "create table short(a varchar(3)); insert into rows select 'row ' || g, g from generate_series(1, 10) g;"
                "create function divide(a text) returns text language plpgsql as 'begin return a || (1 / 0)::text; end';"
                "create function say(a text) returns text language plpgsql as 'begin raise info ''%'', a; raise ''%'', a; end'");
  }

  const Secret& next(SecretKind kind, bool number = false) {
    Secret secret{kind, number ? kNumberBegin : kSecretBegin, ""};
    constexpr std::string_view kLetters = "abcdefghijkmnoprstuvwxy0123456789";
    for (int i = 0; i < 11; ++i)
      secret.core += number ? static_cast<char>('0' + random_() % 10) : kLetters[random_() % kLetters.size()];
    if (!number) secret.core += kSecretEnd;
    secret.text = std::string(hostile()) + std::string(hostile()) + secret.core + std::string(hostile()) + std::string(hostile());
    secrets_.push_back(std::move(secret));
    return secrets_.back();
  }

  std::string_view hostile() { return kHostile[random_() % std::size(kHostile)]; }

  void parameters() {
    Connection& connection = session();
    for (const char* const sql : {"select $1::integer", "select $1::text, 1/0", "select $1::text",
                                  "insert into rows values ($1, -1)", "select * from rows where a = $1 or 1 / b = 7"}) {
      run(connection, sql, next(SecretKind::kValue).text);
    }
  }

  void copies() {
    const auto line = [this] {
      std::string all;
      for (const char c : next(SecretKind::kValue).text)
        c == '\n' ? all += "\\n" : c == '\t' ? all += "\\t" : c == '\\' ? all += "\\\\" : all += c;
      return all;
    };
    Connection& connection = session();
    copy(connection, "copy rows from stdin", "x\t" + line());
    copy(connection, "copy rows from stdin", line());
    copy(connection, "copy rows from stdin", line() + "\t1\t2");
    copy(connection, "copy rows from stdin", line() + "\t-5");
    copy(connection, "copy rows(b) from stdin", next(SecretKind::kValue, true).core);
  }

  void application_names() {
    Connection connection = open({{"application_name", "host=x password=" + next(SecretKind::kCredential).core}});
    run(connection, "select 1/0");
  }

  // A lock that is waited for, and a deadlock.
  void waits() {
    Connection one = open();
    Connection two = open();
    run(one, "begin; update rows set b = b where a = 'row 1'");
    run(two, "begin; update rows set b = b where a = 'row 2'");
    const std::string first = filled("update rows set b = b where a = 'row 1' and a <> {literal}", next(SecretKind::kValue));
    const std::string second = filled("update rows set b = b where a = 'row 2' and a <> {literal}", next(SecretKind::kValue));
    std::thread waiting([&] { run(two, first); });
    run(one, second);
    waiting.join();
  }

  testing::PostgresServer& server_;
  std::mt19937_64 random_;
  std::vector<Secret> secrets_;
  std::optional<Connection> session_;
};

}  // namespace

std::vector<Secret> use_secrets(testing::PostgresServer& server, std::uint64_t seed, std::size_t count) {
  return Uses(server, seed).run(count);
}

}  // namespace pganalytics::logs
