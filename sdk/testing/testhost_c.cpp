// The C face of the fake host: testhost.h over testhost.hpp. No exception leaves: a test host that is out of memory aborts.
#include <pganalytics/testhost.h>

#include <chrono>
#include <new>
#include <optional>
#include <pganalytics/testhost.hpp>

using pganalytics::Outcome;
using pganalytics::testing::CollectOptions;
using pganalytics::testing::CollectResult;
using pganalytics::testing::FakeHost;
using pganalytics::testing::Fault;
using pganalytics::testing::Instance;
using pganalytics::testing::Service;
using pganalytics::testing::Tables;

struct pga_testhost {
  explicit pga_testhost(const pga_testhost_options& options) {
    if (options.tables == PGA_TESTHOST_TABLES_OLDEST) host.tables = Tables::kOldest;
    if (options.tables == PGA_TESTHOST_TABLES_FUTURE) host.tables = Tables::kFuture;
    host.guard_pages = options.no_guard_pages == 0;
    host.poison = options.no_poison == 0;
    host.hop_threads = options.hop_threads != 0;
    if (options.unix_ns != 0) host.set_time(options.unix_ns);
  }

  pga_status create(const pga_plugin* plugin, const char* name) {
    instance.reset();  // the one before is destroyed first
    instance.emplace(host.create(plugin, name == nullptr ? "" : name));
    take(instance->created());
    return last.status;
  }

  void take(const Outcome& outcome) {
    last = CollectResult();
    if (outcome) return;
    last.status = outcome.error().status;
    last.error_code = outcome.error().code;
    last.error_message = outcome.error().message;
  }

  // What a call answers while there is no instance.
  bool missing() {
    if (instance) return false;
    take(pganalytics::Error{PGA_E_UNSUPPORTED, "testhost.no_instance", "pga_testhost_create() was not called", "", 0});
    return true;
  }

  FakeHost host;
  std::optional<Instance> instance;
  CollectResult last;
};

pga_testhost* pga_testhost_new_host(const pga_testhost_options* options) {
  return new (std::nothrow) pga_testhost(options != nullptr ? *options : pga_testhost_options{});
}
pga_testhost* pga_testhost_new(const pga_plugin* plugin, const char* instance) {
  pga_testhost* const host = pga_testhost_new_host(nullptr);
  if (host != nullptr) host->create(plugin, instance);
  return host;
}
pga_status pga_testhost_create(pga_testhost* host, const pga_plugin* plugin, const char* instance) {
  return host->create(plugin, instance);
}
void pga_testhost_free(pga_testhost* host) { delete host; }

pga_status pga_testhost_status(const pga_testhost* host) { return host->last.status; }
const char* pga_testhost_error_code(const pga_testhost* host) { return host->last.error_code.c_str(); }
const char* pga_testhost_error_message(const pga_testhost* host) { return host->last.error_message.c_str(); }

void pga_testhost_set_secret(pga_testhost* host, const char* name, const char* value) {
  if (value == nullptr) {
    host->host.secrets.erase(name);
  } else {
    host->host.secrets[name] = value;
  }
}

void pga_testhost_set_fact(pga_testhost* host, const char* key, const char* json_scalar) { host->host.facts[key] = json_scalar; }

void pga_testhost_set_state(pga_testhost* host, const char* key, const char* data, size_t len) {
  if (data == nullptr) {
    host->host.state.erase(key);
  } else {
    host->host.state[key] = std::string(data, len);
  }
}

const char* pga_testhost_state(const pga_testhost* host, const char* key, size_t* len) {
  const auto found = host->host.state.find(key);
  if (found == host->host.state.end()) return nullptr;
  if (len != nullptr) *len = found->second.size();
  return found->second.c_str();
}

void pga_testhost_add_fault(pga_testhost* host, const pga_testhost_fault* fault) {
  host->host.faults.push_back({static_cast<Service>(fault->service), fault->call, fault->status, fault->lasting != 0});
}
void pga_testhost_clear_faults(pga_testhost* host) { host->host.faults.clear(); }
void pga_testhost_advance(pga_testhost* host, int64_t step_ns) { host->host.advance(std::chrono::nanoseconds(step_ns)); }

pga_status pga_testhost_configure(pga_testhost* host, const char* config_json, uint32_t dry_run) {
  if (host->missing()) return host->last.status;
  host->take(host->instance->configure(config_json, dry_run != 0));
  return host->last.status;
}

pga_status pga_testhost_collect(pga_testhost* host, const pga_testhost_run* run) {
  CollectOptions options;
  if (run != nullptr) {
    options.reason = run->reason;
    options.timeout = std::chrono::milliseconds(run->timeout_ms);
    options.scheduled_unix_ns = run->scheduled_unix_ns;
    if (run->cancel_after_ns != 0) options.cancel_after = std::chrono::nanoseconds(run->cancel_after_ns);
    options.emit_takes = std::chrono::nanoseconds(run->emit_takes_ns);
    options.cancel_at_emit = run->cancel_at_emit;
    options.cancel_fd = run->no_cancel_fd == 0;
    options.commit = run->no_commit == 0;
  }
  if (host->missing()) return host->last.status;
  host->last = host->instance->collect(options);
  return host->last.status;
}

void pga_testhost_cancel(pga_testhost* host) {
  if (host->instance) host->instance->cancel();
}

pga_status pga_testhost_returned(const pga_testhost* host) { return host->last.returned; }
uint32_t pga_testhost_emits(const pga_testhost* host) { return host->last.emits; }
uint32_t pga_testhost_emits_after_error(const pga_testhost* host) { return host->last.emits_after_error; }

size_t pga_testhost_violation_count(const pga_testhost* host) { return host->host.violations.size(); }
const char* pga_testhost_violation(const pga_testhost* host, size_t index) {
  return index < host->host.violations.size() ? host->host.violations[index].c_str() : nullptr;
}

size_t pga_testhost_document_count(const pga_testhost* host) { return host->last.documents.size(); }
const char* pga_testhost_document(const pga_testhost* host, size_t index) {
  return index < host->last.documents.size() ? host->last.documents[index].c_str() : nullptr;
}

size_t pga_testhost_log_count(const pga_testhost* host) { return host->host.log.size(); }
const char* pga_testhost_log(const pga_testhost* host, size_t index, uint32_t* level) {
  if (index >= host->host.log.size()) return nullptr;
  if (level != nullptr) *level = host->host.log[index].level;
  return host->host.log[index].message.c_str();
}
