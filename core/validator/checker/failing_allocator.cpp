#include "core/validator/checker/failing_allocator.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_FAIL_ALLOCATIONS 1
#endif

namespace pganalytics::validator {
namespace {

thread_local bool in_plugin = false;
thread_local long left = 0;  // until the one that fails; 0: none
thread_local bool failed = false;

[[maybe_unused]] bool must_fail() {
  if (!in_plugin || left == 0 || --left > 0) return false;
  failed = true;
  errno = ENOMEM;
  return true;
}

// The boundary, both ways.
class Within {
 public:
  explicit Within(bool plugin) : before_(in_plugin) { in_plugin = plugin; }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;
  ~Within() { in_plugin = before_; }

 private:
  const bool before_;
};

const pga_plugin* real_plugin = nullptr;
const pga_host* real_host = nullptr;
pga_host watched_host;
const pga_run* real_run = nullptr;

template <class Call>
auto outside(Call&& call) {
  const Within host(false);
  return call();
}

pga_host make_host(const pga_host* host) {
  pga_host table;
  std::memcpy(&table, host, sizeof table);
  table.struct_size = sizeof table;
  table.log = [](const pga_host*, std::uint32_t level, pga_str text) {
    const Within outside_of_it(false);
    real_host->log(real_host, level, text);
  };
  table.log_level = [](const pga_host*) { return real_host->log_level(real_host); };
  table.state_get = [](const pga_host*, const char* key, char* buf, std::size_t* len) {
    return outside([&] { return real_host->state_get(real_host, key, buf, len); });
  };
  table.state_set = [](const pga_host*, const char* key, pga_str value) {
    return outside([&] { return real_host->state_set(real_host, key, value); });
  };
  table.secret_get = [](const pga_host*, const char* name, char* buf, std::size_t* len) {
    return outside([&] { return real_host->secret_get(real_host, name, buf, len); });
  };
  table.info_get = [](const pga_host*, const char* key, char* buf, std::size_t* len) {
    return outside([&] { return real_host->info_get(real_host, key, buf, len); });
  };
  table.get_extension = [](const pga_host*, const char* id) {
    return outside([&] { return real_host->get_extension(real_host, id); });
  };
  return table;
}

pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  real_host = host;
  watched_host = make_host(host);
  const Within inside(true);
  return real_plugin->create(&watched_host, instance, self, error);
}

pga_status configure(void* self, pga_str json, std::uint32_t dry_run, pga_error* error) {
  const Within inside(true);
  return real_plugin->configure(self, json, dry_run, error);
}

pga_status collect(void* self, const pga_run* run, pga_error* error) {
  real_run = run;
  pga_run watched;
  std::memcpy(&watched, run, sizeof watched);
  watched.struct_size = sizeof watched;
  watched.cancelled = [](const pga_run*) { return real_run->cancelled(real_run); };
  watched.emit = [](const pga_run*, pga_str json) { return outside([&] { return real_run->emit(real_run, json); }); };
  const Within inside(true);
  return real_plugin->collect(self, &watched, error);
}

void cancel(void* self) {
  if (PGA_HAS(pga_plugin, real_plugin, cancel) && real_plugin->cancel != nullptr) real_plugin->cancel(self);
}

void destroy(void* self) {
  const Within inside(true);
  real_plugin->destroy(self);
}

}  // namespace

const pga_plugin* plugin_short_of_memory(const pga_plugin* plugin) {
  static pga_plugin watched;
  real_plugin = plugin;
  watched = {sizeof watched, plugin->abi_minor, plugin->descriptor, create, configure, collect, cancel, destroy, nullptr};
  return &watched;
}

void fail_allocation(long n) {
  left = n;
  failed = false;
}
bool allocation_failed() { return failed; }

bool can_fail_allocations() {
#if defined(CAN_FAIL_ALLOCATIONS)
  return true;
#else
  return false;
#endif
}

}  // namespace pganalytics::validator

#if defined(CAN_FAIL_ALLOCATIONS)
// The program's own come before the C library's, also for the shared objects it loads.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

__attribute__((visibility("default"))) void* malloc(std::size_t size) noexcept {
  return pganalytics::validator::must_fail() ? nullptr : __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) noexcept {
  return pganalytics::validator::must_fail() ? nullptr : __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* memory, std::size_t size) noexcept {
  return pganalytics::validator::must_fail() ? nullptr : __libc_realloc(memory, size);
}
}
#endif
