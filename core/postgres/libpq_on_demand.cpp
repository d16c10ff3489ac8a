// libpq by dlopen(): once, for good. Only in pganalytics::postgres_on_demand.
#include <dlfcn.h>

#include <string>

#include "core/postgres/libpq.h"

namespace pganalytics::postgres {
namespace {

constexpr char kLibpq[] = "libpq.so.5";  // its name since PostgreSQL 8.2: what is in it only grows

struct Loaded {
  Loaded() : handle(dlopen(kLibpq, RTLD_NOW | RTLD_LOCAL)) {
    if (handle == nullptr) problem = dlerror();
  }
  void* handle;  // never closed: what it has brought does not unload
  std::string problem;
};

const Loaded& loaded() {
  static const Loaded once;
  return once;
}

}  // namespace

Outcome load_libpq() {
  if (loaded().handle != nullptr) return {};
  return Error{PGA_E_UNSUPPORTED, "pg.libpq", "connecting to PostgreSQL: " + loaded().problem,
               "Install PostgreSQL's client library: libpq5 on Debian, libpq or postgresql-libs elsewhere.", 0};
}

void* libpq_symbol(const char* name) { return loaded().handle == nullptr ? nullptr : dlsym(loaded().handle, name); }

}  // namespace pganalytics::postgres
