/* The fake host from C, as a plugin author without C++ uses it. Exit 0: all well; else the line of the first failure. */
#include <pganalytics/testhost.h>
#include <stdio.h>
#include <string.h>

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  (void)error;
  *self = (void*)(uintptr_t)host; /* no state of its own */
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  (void)self;
  (void)dry_run;
  if (json.len == 2) return PGA_OK;
  snprintf(error->code, sizeof error->code, "config.key");
  return PGA_E_CONFIG;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  static const char kDocument[] = "{\"type\":\"tiny\",\"timestamp\":\"2026-02-03T04:05:06.789Z\"}";
  const pga_host* host = self;
  char secret[16];
  size_t len = sizeof secret;
  const pga_str cursor = {"42", 2}, document = {kDocument, sizeof kDocument - 1};
  (void)error;
  if (host->secret_get(host, "password", secret, &len) != PGA_OK) return PGA_E_DENIED;
  if (host->state_set(host, "cursor", cursor) != PGA_OK) return PGA_E_FAIL;
  return run->emit(run, document);
}

static void destroy(void* self) { (void)self; }

static const pga_descriptor kDescriptor = {
    sizeof(pga_descriptor), 0, "tiny", "", "1.0.0", "test", "tiny", "Apache-2.0", "", "{}", "{}", 0, 0, 1000, 1000};
static const pga_plugin kPlugin = {
    sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

#define CHECK(condition) \
  if (!(condition)) return fprintf(stderr, "line %d: %s\n", __LINE__, #condition), 1

/* Faults, the virtual clock and a hostile memory, from C. */
static int unkind_host(void) {
  const pga_testhost_options options = {PGA_TESTHOST_TABLES_FUTURE, 0, 0, 1, 1770120000000000000};
  const pga_testhost_fault full = {PGA_TESTHOST_STATE_SET, 1, PGA_E_LIMIT, 0};
  pga_testhost_run run = {10000, 0, 0, 10000000000, PGA_REASON_SCHEDULE, 0, 0, 0};
  pga_testhost* host = pga_testhost_new_host(&options);
  CHECK(host != NULL && pga_testhost_collect(host, NULL) == PGA_E_UNSUPPORTED);
  pga_testhost_set_secret(host, "password", "hunter2");
  pga_testhost_add_fault(host, &full);
  CHECK(pga_testhost_create(host, &kPlugin, "second") == PGA_OK);
  CHECK(pga_testhost_collect(host, NULL) == PGA_E_FAIL);
  pga_testhost_clear_faults(host);
  CHECK(pga_testhost_collect(host, NULL) == PGA_OK && pga_testhost_emits(host) == 1);
  CHECK(pga_testhost_collect(host, &run) == PGA_E_DEADLINE && pga_testhost_returned(host) == PGA_E_DEADLINE);
  CHECK(pga_testhost_emits_after_error(host) == 0);
  CHECK(pga_testhost_violation_count(host) == 0 && pga_testhost_violation(host, 0) == NULL);
  pga_testhost_advance(host, 1000000000);
  pga_testhost_free(host);
  return 0;
}

int main(void) {
  size_t len = 0;
  pga_testhost* host = pga_testhost_new(&kPlugin, NULL);
  CHECK(host != NULL && pga_testhost_status(host) == PGA_OK);
  CHECK(pga_testhost_configure(host, "{ }", 0) == PGA_E_CONFIG);
  CHECK(strcmp(pga_testhost_error_code(host), "config.key") == 0);
  CHECK(pga_testhost_configure(host, "{}", 0) == PGA_OK);
  CHECK(pga_testhost_collect(host, NULL) == PGA_E_DENIED);
  pga_testhost_set_secret(host, "password", "hunter2");
  CHECK(pga_testhost_collect(host, NULL) == PGA_OK);
  CHECK(pga_testhost_document_count(host) == 1);
  CHECK(strstr(pga_testhost_document(host, 0), "\"tiny\"") != NULL);
  CHECK(pga_testhost_document(host, 1) == NULL);
  CHECK(strcmp(pga_testhost_state(host, "cursor", &len), "42") == 0 && len == 2);
  pga_testhost_free(host);
  return unkind_host();
}
