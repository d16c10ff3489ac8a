// libpq by dlopen(). Only in pganalytics::postgres_on_demand.
#include <dlfcn.h>
#include <malloc.h>

#include <atomic>
#include <mutex>
#include <string>

#include "core/postgres/libpq.h"
#include "core/postgres/unload.h"

namespace pganalytics::postgres {
namespace {

constexpr char kLibpq[] = "libpq.so.5";  // its name since PostgreSQL 8.2: what is in it only grows

std::mutex loading;
std::atomic<void*> handle{nullptr};
std::atomic<int> connections{0};

}  // namespace

Outcome load_libpq() {
  const std::lock_guard lock(loading);
  if (handle != nullptr) return {};
  handle = dlopen(kLibpq, RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return {};
  const char* const problem = dlerror();
  return Error{PGA_E_UNSUPPORTED, "pg.libpq", "connecting to PostgreSQL: " + std::string(problem == nullptr ? "?" : problem),
               "Install PostgreSQL's client library: libpq5 on Debian, libpq or postgresql-libs elsewhere.", 0};
}

void count_connection(int change) { connections += change; }

void* libpq_symbol(const char* name) {
  void* const loaded = handle;
  return loaded == nullptr ? nullptr : dlsym(loaded, name);
}

void unload_libpq() {
  const std::lock_guard lock(loading);
  if (connections > 0) return;
  if (void* const loaded = handle.exchange(nullptr); loaded != nullptr) dlclose(loaded);
  malloc_trim(0);
}

}  // namespace pganalytics::postgres
