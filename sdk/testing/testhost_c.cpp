// The C face of the fake host: testhost.h over testhost.hpp. No exception leaves: a test host that is out of memory aborts.
#include <pganalytics/testhost.h>

#include <chrono>
#include <new>
#include <pganalytics/testhost.hpp>

using pganalytics::Outcome;
using pganalytics::testing::CollectOptions;
using pganalytics::testing::CollectResult;
using pganalytics::testing::FakeHost;
using pganalytics::testing::Instance;

struct pga_testhost {
  pga_testhost(const pga_plugin* plugin, const char* name) : instance(host.create(plugin, name == nullptr ? "" : name)) {
    take(instance.created());
  }

  void take(const Outcome& outcome) {
    last = CollectResult();
    if (outcome) return;
    last.status = outcome.error().status;
    last.error_code = outcome.error().code;
    last.error_message = outcome.error().message;
  }

  FakeHost host;
  Instance instance;
  CollectResult last;
};

pga_testhost* pga_testhost_new(const pga_plugin* plugin, const char* instance) {
  return new (std::nothrow) pga_testhost(plugin, instance);
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

pga_status pga_testhost_configure(pga_testhost* host, const char* config_json, uint32_t dry_run) {
  host->take(host->instance.configure(config_json, dry_run != 0));
  return host->last.status;
}

pga_status pga_testhost_collect(pga_testhost* host, const pga_testhost_run* run) {
  CollectOptions options;
  if (run != nullptr) {
    options.reason = run->reason;
    options.timeout = std::chrono::milliseconds(run->timeout_ms);
    options.scheduled_unix_ns = run->scheduled_unix_ns;
  }
  host->last = host->instance.collect(options);
  return host->last.status;
}

void pga_testhost_cancel(pga_testhost* host) { host->instance.cancel(); }

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
