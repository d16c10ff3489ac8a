// identity.json as an operator, a backup or a bad disk left it: refused with a reason, or an identity that can be used.
// links: pganalytics::transport
#include "core/transport/answers.h"
#include "core/transport/identity.h"
#include "tests/fuzz/input_file.h"

#include <cstdint>
#include <string_view>

using namespace pganalytics;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  static const bool made = [] {
    folder.make("identity");
    folder.write("identity/key.pem", "");
    return true;
  }();
  folder.write("identity/identity.json", {reinterpret_cast<const char*>(data), size}, 0644);
  const auto identity = transport::Identity::load(folder.path());
  if (!identity && identity.error().message.empty()) std::abort();
  if (identity && (!made || !transport::is_uuid(identity.value().collector_id) || identity.value().backend_url.empty()))
    std::abort();
  return 0;
}
