/* pganalytics/testhost.h - a host to test a collector against, alone and in one process, from C.
 *
 *     pga_testhost *host = pga_testhost_new(pga_plugin_v1(PGA_ABI_MINOR), NULL);
 *     assert(pga_testhost_configure(host, "{}", 0) == PGA_OK);
 *     assert(pga_testhost_collect(host, NULL) == PGA_OK);
 *     assert(pga_testhost_document_count(host) == 1);
 *     pga_testhost_free(host);
 *
 * One host holds one instance of one plugin. What is checked, and what not: pganalytics/testhost.hpp, which this wraps. Link
 * pganalytics::testhost; the library is C++ inside, so let the C++ compiler link (CMake does).
 *
 * Every `const char *` returned lives until the next call on the same host. One thread at a time, pga_testhost_cancel() excepted.
 */
#ifndef PGANALYTICS_TESTHOST_H
#define PGANALYTICS_TESTHOST_H

#include <pganalytics/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pga_testhost pga_testhost;

/* Creates the instance too: ask pga_testhost_status(). instance == NULL: named as the plugin's id. NULL: out of memory. */
pga_testhost *pga_testhost_new(const pga_plugin *plugin, const char *instance);
void pga_testhost_free(pga_testhost *host); /* calls the plugin's destroy(); NULL is fine */

/* Of the last call: create, configure or collect. */
pga_status pga_testhost_status(const pga_testhost *host);
const char *pga_testhost_error_code(const pga_testhost *host);
const char *pga_testhost_error_message(const pga_testhost *host);

/* What the plugin may ask for; value is copied. For a secret: may be NULL to take it away. */
void pga_testhost_set_secret(pga_testhost *host, const char *name, const char *value);
void pga_testhost_set_fact(pga_testhost *host, const char *key, const char *json_scalar);
/* Committed state. data == NULL deletes. */
void pga_testhost_set_state(pga_testhost *host, const char *key, const char *data, size_t len);
/* NULL: no such key. */
const char *pga_testhost_state(const pga_testhost *host, const char *key, size_t *len);

pga_status pga_testhost_configure(pga_testhost *host, const char *config_json, uint32_t dry_run);

typedef struct pga_testhost_run {
  uint32_t reason;           /* PGA_REASON_ */
  int64_t timeout_ms;        /* to the deadline */
  int64_t scheduled_unix_ns; /* 0: now */
} pga_testhost_run;

/* run == NULL: on schedule, 10 s, now. */
pga_status pga_testhost_collect(pga_testhost *host, const pga_testhost_run *run);
void pga_testhost_cancel(pga_testhost *host); /* [any thread] */

/* Of the last collect(); a document that does not exist is NULL. */
size_t pga_testhost_document_count(const pga_testhost *host);
const char *pga_testhost_document(const pga_testhost *host, size_t index);

/* Since the host was made. level may be NULL. */
size_t pga_testhost_log_count(const pga_testhost *host);
const char *pga_testhost_log(const pga_testhost *host, size_t index, uint32_t *level);

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* PGANALYTICS_TESTHOST_H */
