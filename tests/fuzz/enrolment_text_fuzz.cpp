// What people paste: registration tokens, API keys, CA pins. Ours are recognised by form and checksum, and no change of one
// letter goes unnoticed.
// links: pganalytics::server_auth pganalytics::transport
#include "core/server/auth/secret_text.h"
#include "core/web/ca_pin.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace pganalytics;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto pin = web::parse_ca_pin(text)) {
    require(pin.value().size() == 64 && pin.value().find_first_not_of("0123456789abcdef") == std::string::npos);
  }
  require(!server::auth::is_registration_token(text) || !server::auth::is_api_key(text));
  if (size < 2) return 0;
  static const std::string token = server::auth::new_registration_token(), key = server::auth::new_api_key();
  for (const bool is_token : {true, false}) {
    std::string changed = is_token ? token : key;
    char& letter = changed[data[0] % changed.size()];
    const bool differs = letter != static_cast<char>(data[1]);
    letter = static_cast<char>(data[1]);
    const bool taken = is_token ? server::auth::is_registration_token(changed) : server::auth::is_api_key(changed);
    require(taken != differs);
  }
  return 0;
}
