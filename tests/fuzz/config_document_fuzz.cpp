// A configuration document on any bytes: what is taken can be given again and comes out the same.
// links: pganalytics::server_api
#include <cstdlib>

#include "core/server/api/config_document.h"

using namespace pganalytics;
using namespace pganalytics::server::api;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const KnowsPlugin knows = [](const std::string& id) -> Expected<bool> { return id.size() % 2 == 0; };
  const auto document = read_config({reinterpret_cast<const char*>(data), size}, knows);
  if (!document) return 0;
  const auto again = read_config(with_version(7, document.value().json), knows);
  // Filling in defaults may take a document over the size limit; it never changes what it says.
  if (again && again.value().json != document.value().json) std::abort();
  return 0;
}
