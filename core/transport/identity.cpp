#include "core/transport/identity.h"

#include "core/files/files.h"
#include "core/schema/json_text.h"
#include "core/transport/answers.h"
#include "core/transport/identity_files.h"
#include "core/transport/renewal.h"

#include <pganalytics/json.hpp>

namespace pganalytics::transport {
namespace {

Error damaged(const std::string& path, const std::string& why) {
  return {PGA_E_CONFIG, "identity.damaged", path + ": " + why,
          "Restore the folder from a backup, or move it away and register again.", 0};
}

Error not_registered(const std::string& folder) {
  return {PGA_E_NOTFOUND, "identity.missing", "this collector is not registered: there is no identity in " + folder,
          "Run `pganalytics register` with a token from `pganalytics-server token create`.", 0};
}

std::string string_at(const rapidjson::Document& document, const char* key) {
  const auto member = document.FindMember(key);
  return member != document.MemberEnd() && member->value.IsString() ? std::string(member->value.GetString()) : std::string();
}

}  // namespace

IdentityFiles::IdentityFiles(const std::string& state_dir)
    : folder(state_dir + "/identity"),
      key(folder + "/key.pem"),
      certificate(folder + "/certificate.pem"),
      ca(folder + "/ca.pem"),
      identity(folder + "/identity.json"),
      enrolment(folder + "/enrolment.json") {}

Outcome write_identity(const IdentityFiles& files, const Identity& identity, const std::string& name) {
  JsonWriter json;
  json.begin_object()
      .member("collector_id", identity.collector_id)
      .member("backend_url", identity.backend_url)
      .member("name", name)
      .end_object();
  return files::write_atomically(files.identity, std::string(json.text()) + "\n", 0644);
}

Expected<Identity> Identity::load(const std::string& state_dir) {
  const IdentityFiles files(state_dir);
  const auto text = files::read(files.identity);
  if (!text && text.error().status == PGA_E_NOTFOUND) return not_registered(files.folder);
  if (!text) return text.error();
  const auto document = schema::parse_json(text.value(), {64 << 10, 8, 64});
  if (!document) return damaged(files.identity, document.error().message);
  if (!document.value().IsObject()) return damaged(files.identity, "not a JSON object");

  Identity identity{string_at(document.value(), "collector_id"),
                    string_at(document.value(), "backend_url"),
                    files.key,
                    files.certificate,
                    files.ca,
                    {}};
  if (!is_uuid(identity.collector_id)) return damaged(files.identity, "collector_id is not a UUID");
  if (identity.backend_url.empty()) return damaged(files.identity, "backend_url is missing");
  PGA_CHECK(files::check_private_place(files.key));
  identity.stamp = stamp_of_identity(identity, "");
  return identity;
}

}  // namespace pganalytics::transport
