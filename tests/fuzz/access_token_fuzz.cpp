// Anything as an access token: refused by its form, or three parts whose payload is an object; never authentic without the key.
// links: pganalytics::server_auth
#include "core/server/auth/token_shape.h"

#include <cstdint>
#include <cstdlib>

using namespace pganalytics::server::auth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  const auto payload = unverified_payload(token, "0123456789abcdef");
  if (payload && (!payload.value().IsObject() || size > kTokenMaxBytes)) std::abort();
  if (!payload && payload.error().status != PGA_E_DENIED) std::abort();
  return 0;
}
