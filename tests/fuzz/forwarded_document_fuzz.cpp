// Which instance a stored document is from, before it is forwarded: a name that may be one, and what a tree of the document has
// at its top.
// links: pganalytics::server_forward pganalytics::instance pganalytics::schema
#include "core/server/forward/emitted.h"

#include "core/instance/instance_name.h"
#include "core/schema/json_text.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace pganalytics;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string expected_of(const rapidjson::Document& document) {
  if (!document.IsObject()) return "acme";
  const auto member = document.FindMember("instance");
  if (member == document.MemberEnd() || !member->value.IsString() || member->value.GetStringLength() == 0) return "acme";
  const std::string whole = "acme@" + std::string(member->value.GetString(), member->value.GetStringLength());
  return instance::check_suffix(whole) ? whole : "acme";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string found = server::forward::instance_of("acme", text);
  require(found == "acme" || (found.rfind("acme@", 0) == 0 && instance::check_suffix(found)));
  if (const auto document = schema::parse_json(text)) require(found == expected_of(document.value()));
  return 0;
}
