// token create, list, revoke: what lets a collector in, shown once and stored hashed.
#include "core/clock/clock.h"
#include "core/schema/units.h"
#include "core/server/auth/authority.h"
#include "core/server/auth/secret_text.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/terminal/text_table.h"

#include <iostream>
#include <pganalytics/json.hpp>

namespace pganalytics::server::program {
namespace {

namespace po = boost::program_options;

constexpr std::int64_t kTokenLifeMaxMs = 30LL * 86'400'000;

struct NewToken {
  std::string id, token, ca_pin, expires_at;
};

Expected<NewToken> create_token(const Arguments& arguments) {
  PGA_TRY(const std::int64_t life_ms, schema::parse_duration_ms(arguments.value<std::string>("ttl")));
  const int uses = arguments.value<int>("uses");
  if (life_ms < 1'000 || life_ms > kTokenLifeMaxMs) return Error{PGA_E_CONFIG, "ttl", "--ttl must lie between 1s and 30d", "", 0};
  if (uses < 1 || uses > 100'000) return Error{PGA_E_CONFIG, "uses", "--uses must lie between 1 and 100000", "", 0};
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  PGA_TRY(const auto authority, auth::Authority::open(place.settings.data_dir, place.settings.names));
  const std::string token = auth::new_registration_token();
  PGA_TRY(const std::string id, place.database.store->add_registration_token(
                                    auth::sha256_hex(token), static_cast<std::uint32_t>(uses), life_ms,
                                    arguments.value<std::string>("hostname"), {"command line", "token.create", "", "", "{}"}));
  return NewToken{id, token, authority->ca_pin(), clock::format_rfc3339(clock::now_unix_ns() + life_ms * 1'000'000)};
}

int token_create(const Arguments& arguments) {
  const auto made = create_token(arguments);
  if (!made) return report(made.error());
  if (arguments.json) {
    JsonWriter json;
    json.begin_object().member("id", made->id).member("token", made->token).member("ca_pin", made->ca_pin);
    std::cout << json.member("expires_at", made->expires_at).end_object().text() << "\n";
  } else {
    std::cout << "token      " << made->token << "\nca pin     " << made->ca_pin << "\nexpires at " << made->expires_at
              << "\nid         " << made->id
              << "\n\nOn the collector's host, with the token in FILE:\n  pganalytics register --token-file FILE --ca-pin "
              << made->ca_pin << "\n";
  }
  return kExitOk;
}

Expected<std::vector<store::TokenRow>> read_tokens(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  return place.database.store->registration_tokens();
}

std::optional<std::string> last_used(const store::TokenRow& row) {
  if (row.last_used_unix_ns == 0) return std::nullopt;
  return clock::format_rfc3339(row.last_used_unix_ns);
}

void print_json(const std::vector<store::TokenRow>& rows) {
  JsonWriter json;
  json.begin_object().key("tokens").begin_array();
  for (const store::TokenRow& row : rows) {
    json.begin_object().member("id", row.id).member("state", row.state).member("uses", row.uses);
    json.member("uses_left", row.uses_left).member("hostname", row.hostname_glob);
    json.member("created_at", clock::format_rfc3339(row.created_unix_ns));
    json.member("expires_at", clock::format_rfc3339(row.expires_unix_ns)).member("last_used_at", last_used(row)).end_object();
  }
  std::cout << json.end_array().end_object().text() << "\n";
}

int token_list(const Arguments& arguments) {
  const auto rows = read_tokens(arguments);
  if (!rows) return report(rows.error());
  if (arguments.json) return print_json(*rows), kExitOk;
  terminal::TextTable table({{"ID", true}, {"STATE"}, {"USES LEFT"}, {"EXPIRES AT"}, {"LAST USED"}, {"HOST NAMES"}});
  for (const store::TokenRow& row : *rows) {
    table.row({row.id, row.state, std::to_string(row.uses_left) + " of " + std::to_string(row.uses),
               clock::format_rfc3339(row.expires_unix_ns), last_used(row).value_or("never"),
               row.hostname_glob.empty() ? "*" : row.hostname_glob});
  }
  std::cout << table.text();
  return kExitOk;
}

Outcome revoke(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  const std::string& id = arguments.words[0];
  return place.database.store->revoke_registration_token(id, {"command line", "token.revoke", "token:" + id, "", "{}"});
}

int token_revoke(const Arguments& arguments) {
  if (const Outcome done = revoke(arguments); !done) return report(done.error());
  return report_revoked(arguments);
}

}  // namespace

std::vector<Command> token_commands() {
  po::options_description create("Options");
  create.add_options()("uses", po::value<int>()->default_value(1)->value_name("N"), "how many collectors may register with it");
  create.add_options()("ttl", po::value<std::string>()->default_value("60m")->value_name("TIME"),
                       "how long it is valid: 90s, 60m, 2d");
  create.add_options()("hostname", po::value<std::string>()->default_value("")->value_name("GLOB"),
                       "only for host names like this (db*.example)");
  return {{"token create", "", 0, "a registration token for a collector, and the pin of our CA", create, token_create},
          {"token list", "", 0, "registration tokens, by id: the tokens themselves are shown once only", {}, token_list},
          {"token revoke", "ID", 1, "nobody registers with this token from now on", {}, token_revoke}};
}

}  // namespace pganalytics::server::program
