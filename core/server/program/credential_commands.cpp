// token create, key create: secrets for people to carry, shown once and stored hashed.
#include "core/clock/clock.h"
#include "core/schema/units.h"
#include "core/server/auth/authority.h"
#include "core/server/auth/secret_text.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"

#include <iostream>
#include <pganalytics/json.hpp>

namespace pganalytics::server::program {
namespace {

namespace po = boost::program_options;

constexpr std::int64_t kTokenLifeMaxMs = 30LL * 86'400'000;

struct NewToken {
  std::string token, ca_pin, expires_at;
};

Expected<NewToken> create_token(const Arguments& arguments) {
  PGA_TRY(const std::int64_t life_ms, schema::parse_duration_ms(arguments.value<std::string>("ttl")));
  const int uses = arguments.value<int>("uses");
  if (life_ms < 1'000 || life_ms > kTokenLifeMaxMs) return Error{PGA_E_CONFIG, "ttl", "--ttl must lie between 1s and 30d", "", 0};
  if (uses < 1 || uses > 100'000) return Error{PGA_E_CONFIG, "uses", "--uses must lie between 1 and 100000", "", 0};
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  PGA_TRY(const auto authority, auth::Authority::open(place.settings.data_dir, place.settings.names));
  const std::string token = auth::new_registration_token();
  PGA_CHECK(place.database.store->add_registration_token(auth::sha256_hex(token), static_cast<std::uint32_t>(uses), life_ms,
                                                         arguments.value<std::string>("hostname")));
  PGA_CHECK(place.database.store->audit("command line", "token.create", "", "{}"));
  return NewToken{token, authority->ca_pin(), clock::format_rfc3339(clock::now_unix_ns() + life_ms * 1'000'000)};
}

int token_create(const Arguments& arguments) {
  const auto made = create_token(arguments);
  if (!made) return report(made.error());
  if (arguments.json) {
    JsonWriter json;
    json.begin_object()
        .member("token", made->token)
        .member("ca_pin", made->ca_pin)
        .member("expires_at", made->expires_at)
        .end_object();
    std::cout << json.text() << "\n";
  } else {
    std::cout << "token      " << made->token << "\nca pin     " << made->ca_pin << "\nexpires at " << made->expires_at
              << "\n\nOn the collector's host, with the token in FILE:\n  pganalytics register --token-file FILE --ca-pin "
              << made->ca_pin << "\n";
  }
  return kExitOk;
}

Expected<store::Role> parse_role(const std::string& name) {
  if (name == "viewer") return store::Role::kViewer;
  if (name == "operator") return store::Role::kOperator;
  if (name == "admin") return store::Role::kAdmin;
  return Error{PGA_E_CONFIG, "role", "unknown role '" + name + "'", "Use viewer, operator or admin.", 0};
}

Expected<std::string> create_key(const Arguments& arguments) {
  PGA_TRY(const store::Role role, parse_role(arguments.value<std::string>("role")));
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  const std::string key = auth::new_api_key();
  PGA_CHECK(place.database.store->add_api_key(auth::sha256_hex(key), role));
  PGA_CHECK(place.database.store->audit("command line", "key.create", arguments.value<std::string>("role"), "{}"));
  return key;
}

int key_create(const Arguments& arguments) {
  const auto key = create_key(arguments);
  if (!key) return report(key.error());
  if (arguments.json) {
    JsonWriter json;
    std::cout << json.begin_object().member("key", *key).end_object().text() << "\n";
  } else {
    std::cout << *key << "\n";
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> credential_commands() {
  po::options_description token("Options");
  token.add_options()("uses", po::value<int>()->default_value(1)->value_name("N"), "how many collectors may register with it");
  token.add_options()("ttl", po::value<std::string>()->default_value("60m")->value_name("TIME"),
                      "how long it is valid: 90s, 60m, 2d");
  token.add_options()("hostname", po::value<std::string>()->default_value("")->value_name("GLOB"),
                      "only for host names like this (db*.example)");
  po::options_description key("Options");
  key.add_options()("role", po::value<std::string>()->required()->value_name("ROLE"),
                    "viewer and operator read, admin may do everything");
  return {{"token create", "", 0, "a registration token for a collector, and the pin of our CA", token, token_create},
          {"key create", "", 0, "an API key; shown once", key, key_create}};
}

}  // namespace pganalytics::server::program
