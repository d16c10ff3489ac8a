// key create, list, revoke: API keys of people and programs; key rotate-signing: the key behind the collectors' access tokens.
#include "core/clock/clock.h"
#include "core/server/auth/access_token.h"
#include "core/server/auth/secret_text.h"
#include "core/server/auth/signing_keys.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/terminal/text_table.h"

#include <iostream>
#include <pganalytics/json.hpp>

namespace pganalytics::server::program {
namespace {

namespace po = boost::program_options;

Expected<store::Role> parse_role(const std::string& name) {
  if (name == "viewer") return store::Role::kViewer;
  if (name == "operator") return store::Role::kOperator;
  if (name == "admin") return store::Role::kAdmin;
  return Error{PGA_E_CONFIG, "role", "unknown role '" + name + "'", "Use viewer, operator or admin.", 0};
}

const char* name_of(store::Role role) {
  if (role == store::Role::kAdmin) return "admin";
  return role == store::Role::kOperator ? "operator" : "viewer";
}

struct NewKey {
  std::string id, key;
};

Expected<NewKey> create_key(const Arguments& arguments) {
  PGA_TRY(const store::Role role, parse_role(arguments.value<std::string>("role")));
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  NewKey made{"", auth::new_api_key()};
  JsonWriter detail;
  detail.begin_object().member("role", name_of(role)).end_object();
  PGA_TRY(made.id, place.database.store->add_api_key(auth::sha256_hex(made.key), role, arguments.value<std::string>("label"),
                                                     {"command line", "key.create", "", "", std::string(detail.text())}));
  return made;
}

int key_create(const Arguments& arguments) {
  const auto made = create_key(arguments);
  if (!made) return report(made.error());
  if (arguments.json) {
    JsonWriter json;
    std::cout << json.begin_object().member("id", made->id).member("key", made->key).end_object().text() << "\n";
  } else {
    std::cout << made->key << "\n";
  }
  return kExitOk;
}

Expected<std::vector<store::KeyRow>> read_keys(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  return place.database.store->api_keys();
}

std::optional<std::string> last_used(const store::KeyRow& row) {
  if (row.last_used_unix_ns == 0) return std::nullopt;
  return clock::format_rfc3339(row.last_used_unix_ns);
}

void print_json(const std::vector<store::KeyRow>& rows) {
  JsonWriter json;
  json.begin_object().key("keys").begin_array();
  for (const store::KeyRow& row : rows) {
    json.begin_object().member("id", row.id).member("role", name_of(row.role)).member("label", row.label);
    json.member("created_at", clock::format_rfc3339(row.created_unix_ns)).member("last_used_at", last_used(row));
    json.member("revoked", row.revoked).end_object();
  }
  std::cout << json.end_array().end_object().text() << "\n";
}

int key_list(const Arguments& arguments) {
  const auto rows = read_keys(arguments);
  if (!rows) return report(rows.error());
  if (arguments.json) return print_json(*rows), kExitOk;
  terminal::TextTable table({{"ID", true}, {"ROLE"}, {"CREATED AT"}, {"LAST USED"}, {"STATE"}, {"LABEL"}});
  for (const store::KeyRow& row : *rows) {
    table.row({row.id, name_of(row.role), clock::format_rfc3339(row.created_unix_ns), last_used(row).value_or("never"),
               row.revoked ? "revoked" : "active", row.label});
  }
  std::cout << table.text();
  return kExitOk;
}

Outcome revoke(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  const std::string& id = arguments.words[0];
  return place.database.store->revoke_api_key(id, {"command line", "key.revoke", "key:" + id, "", "{}"});
}

int key_revoke(const Arguments& arguments) {
  if (const Outcome done = revoke(arguments); !done) return report(done.error());
  return report_revoked(arguments);
}

Expected<std::string> rotate_signing(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  const bool drop = arguments.value<bool>("drop-previous");
  PGA_TRY(const auto signer, auth::TokenSigner::open(place.settings.data_dir));
  JsonWriter detail;
  detail.begin_object().member("drop_previous", drop).end_object();
  std::string id;
  const auto rotate = [&]() -> Outcome {
    PGA_TRY(id, auth::rotate_signing_keys(place.settings.data_dir, drop ? auth::PreviousKey::kDrop : auth::PreviousKey::kKeep,
                                          clock::now_unix_ns()));
    return {};
  };
  PGA_CHECK(place.database.store->audited(
      {"command line", "key.rotate_signing", "kid:" + signer->key_id(), "", std::string(detail.text())}, rotate));
  return id;
}

int key_rotate_signing(const Arguments& arguments) {
  const auto id = rotate_signing(arguments);
  if (!id) return report(id.error());
  if (arguments.json) {
    JsonWriter json;
    std::cout << json.begin_object().member("kid", *id).end_object().text() << "\n";
  } else {
    std::cout << "access tokens are signed with key " << *id << " from now on\n";
  }
  return kExitOk;
}

}  // namespace

std::vector<Command> key_commands() {
  po::options_description create("Options");
  create.add_options()("role", po::value<std::string>()->required()->value_name("ROLE"),
                       "viewer: read what collectors sent; operator: also who did what; admin: everything");
  create.add_options()("label", po::value<std::string>()->default_value("")->value_name("TEXT"),
                       "what the list says beside its id: whom it was made for");
  po::options_description rotate("Options");
  rotate.add_options()("drop-previous", po::bool_switch(),
                       "end every token that is in use: for a key that somebody else may have");
  return {{"key create", "", 0, "an API key; shown once", create, key_create},
          {"key list", "", 0, "API keys, by id: the keys themselves are shown once only", {}, key_list},
          {"key revoke", "ID", 1, "this API key opens nothing from now on", {}, key_revoke},
          {"key rotate-signing", "", 0, "a new key for the access tokens of collectors", rotate, key_rotate_signing}};
}

}  // namespace pganalytics::server::program
