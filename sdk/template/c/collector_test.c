/* The collector against the fake host: no daemon, no worker process, no files. pganalytics/testhost.h says what it can do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pganalytics/testhost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
#define CHECK(condition) \
  ((condition) ? (void)0 : (void)(failures++, fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition)))

static pga_testhost *configured(const char *json) {
  pga_testhost *host = pga_testhost_new(pga_plugin_v1(PGA_ABI_MINOR), NULL);
  if (host == NULL) abort();
  CHECK(pga_testhost_configure(host, json, 0) == PGA_OK);
  return host;
}

/* The fake host has checked the document against output.schema.json already. */
static void a_run_emits_one_document(void) {
  pga_testhost *host = configured("{\"sample_ms\":20}");
  CHECK(pga_testhost_collect(host, NULL) == PGA_OK);
  CHECK(pga_testhost_document_count(host) == 1);
  if (pga_testhost_document_count(host) == 1) CHECK(strstr(pga_testhost_document(host, 0), "\"type\":\"@id@\"") != NULL);
  pga_testhost_free(host);
}

static void the_peak_outlives_the_process(void) {
  pga_testhost *host = configured("{\"sample_ms\":20}");
  pga_testhost_set_state(host, "peak", "1000000.500", 11);
  CHECK(pga_testhost_collect(host, NULL) == PGA_OK);
  if (pga_testhost_document_count(host) == 1) {
    CHECK(strstr(pga_testhost_document(host, 0), "\"forks_per_second_peak\":1000000.500") != NULL);
  }
  pga_testhost_free(host);
}

static void a_bad_configuration_names_the_key(void) {
  pga_testhost *host = pga_testhost_new(pga_plugin_v1(PGA_ABI_MINOR), NULL);
  CHECK(pga_testhost_configure(host, "{\"sample_ms\":0}", 0) == PGA_E_CONFIG);
  CHECK(strstr(pga_testhost_error_message(host), "sample_ms") != NULL);
  pga_testhost_free(host);
}

static void a_run_ends_at_its_deadline(void) {
  const pga_testhost_run hurried = {.timeout_ms = 50};
  pga_testhost *host = configured("{\"sample_ms\":5000}");
  CHECK(pga_testhost_collect(host, &hurried) == PGA_E_DEADLINE);
  CHECK(strcmp(pga_testhost_error_code(host), "run.deadline") == 0);
  pga_testhost_free(host);
}

static void a_run_ends_when_it_is_cancelled(void) {
  const pga_testhost_run stopped = {.timeout_ms = 60000, .cancel_after_ns = 20000000};
  pga_testhost *host = configured("{\"sample_ms\":5000}");
  CHECK(pga_testhost_collect(host, &stopped) == PGA_E_DEADLINE);
  CHECK(strcmp(pga_testhost_error_code(host), "run.cancelled") == 0);
  pga_testhost_free(host);
}

static void what_the_host_refuses_is_passed_on(void) {
  const pga_testhost_fault full = {.service = PGA_TESTHOST_EMIT, .call = 1, .status = PGA_E_LIMIT};
  pga_testhost *host = configured("{\"sample_ms\":20}");
  pga_testhost_add_fault(host, &full);
  CHECK(pga_testhost_collect(host, NULL) == PGA_E_LIMIT);
  CHECK(strcmp(pga_testhost_error_code(host), "emit") == 0);
  pga_testhost_free(host);
}

int main(void) {
  a_run_emits_one_document();
  the_peak_outlives_the_process();
  a_bad_configuration_names_the_key();
  a_run_ends_at_its_deadline();
  a_run_ends_when_it_is_cancelled();
  what_the_host_refuses_is_passed_on();
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
