// E52: what comes out of a call beside its status. The define says how.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "kit.h"

namespace {

pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
#if defined(THROWS_IN_CREATE)
  throw std::runtime_error("create");
#endif
  return good_create(host, instance, self, error);
}

pga_status configure(void* self, pga_str json, std::uint32_t dry_run, pga_error* error) {
#if defined(THROWS_IN_CONFIGURE)
  throw std::runtime_error("configure");
#endif
  return good_configure(self, json, dry_run, error);
}

pga_status collect(void* self, const pga_run* run, pga_error* error) {
#if defined(THROWS)
  throw 42;
#elif defined(CRASHES)
  std::raise(SIGSEGV);
#elif defined(EXITS)
  std::exit(3);
#elif defined(ABORTS)
  std::abort();
#elif defined(ENDLESS_MESSAGE)
  std::memset(error->message, 'x', sizeof error->message);
#endif
  return good_collect(self, run, error);
}

}  // namespace

extern "C" {
TABLES(create, configure, collect, nullptr, good_destroy, nullptr)
}
