/* pganalytics/testhost.h - a host to test a collector against, alone and in one process, from C.
 *
 *     pga_testhost *host = pga_testhost_new(pga_plugin_v1(PGA_ABI_MINOR), NULL);
 *     assert(pga_testhost_configure(host, "{}", 0) == PGA_OK);
 *     assert(pga_testhost_collect(host, NULL) == PGA_OK);
 *     assert(pga_testhost_document_count(host) == 1);
 *     pga_testhost_free(host);
 *
 * One host holds one instance of one plugin. What is checked, and how memory and time behave: pganalytics/testhost.hpp, which this
 * wraps. Link pganalytics::testhost; the library is C++ inside, so let the C++ compiler link (CMake does).
 *
 * Every `const char *` returned lives until the next call on the same host. One thread at a time, pga_testhost_cancel() and
 * pga_testhost_advance() excepted.
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

/* "The call-th call of service answers status", as Fault in testhost.hpp. */
#define PGA_TESTHOST_EMIT 0u
#define PGA_TESTHOST_STATE_GET 1u
#define PGA_TESTHOST_STATE_SET 2u
#define PGA_TESTHOST_SECRET_GET 3u
#define PGA_TESTHOST_INFO_GET 4u
typedef struct pga_testhost_fault {
  uint32_t service; /* PGA_TESTHOST_ */
  uint32_t call;    /* counted from 1 within each create(), configure() and collect() */
  pga_status status;
  uint32_t lasting; /* != 0: every later call too */
} pga_testhost_fault;

/* How the host behaves; all zero is what pga_testhost_new() makes. Each member is explained in testhost.hpp. */
#define PGA_TESTHOST_TABLES_CURRENT 0u
#define PGA_TESTHOST_TABLES_OLDEST 1u
#define PGA_TESTHOST_TABLES_FUTURE 2u
typedef struct pga_testhost_options {
  uint32_t tables;         /* PGA_TESTHOST_TABLES_ */
  uint32_t no_guard_pages; /* != 0: ordinary memory */
  uint32_t no_poison;      /* != 0: what was lent is left as it is */
  uint32_t hop_threads;    /* != 0: each call on a thread of its own */
  int64_t unix_ns;         /* != 0: the clock is virtual and says this */
} pga_testhost_options;

/* A host whose instance is created by pga_testhost_create(), after secrets, state and faults were set. options may be NULL. */
pga_testhost *pga_testhost_new_host(const pga_testhost_options *options);
pga_status pga_testhost_create(pga_testhost *host, const pga_plugin *plugin, const char *instance);

void pga_testhost_add_fault(pga_testhost *host, const pga_testhost_fault *fault);
void pga_testhost_clear_faults(pga_testhost *host);
void pga_testhost_advance(pga_testhost *host, int64_t step_ns); /* [any thread] the virtual clock */
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
  int64_t timeout_ms;        /* to the deadline; 0: it has passed */
  int64_t scheduled_unix_ns; /* 0: now */
  int64_t cancel_after_ns;   /* != 0: cancel from another thread after so much real time */
  int64_t emit_takes_ns;     /* what each emit() adds to the virtual clock */
  uint32_t reason;           /* PGA_REASON_ */
  uint32_t cancel_at_emit;   /* the n-th emit() finds the run cancelled; 0: none does */
  uint32_t no_cancel_fd;     /* != 0: cancel_fd is -1 */
  uint32_t no_commit;        /* != 0: staged state is lost, as if the host died */
} pga_testhost_run;

/* run == NULL: on schedule, 10 s, now. */
pga_status pga_testhost_collect(pga_testhost *host, const pga_testhost_run *run);
void pga_testhost_cancel(pga_testhost *host); /* [any thread] */

/* Of the last collect(); a document that does not exist is NULL. */
size_t pga_testhost_document_count(const pga_testhost *host);
const char *pga_testhost_document(const pga_testhost *host, size_t index);

/* Of the last collect(): the status it returned, before the host judged the documents; calls of emit(), and how many came after the
 * first that failed. */
pga_status pga_testhost_returned(const pga_testhost *host);
uint32_t pga_testhost_emits(const pga_testhost *host);
uint32_t pga_testhost_emits_after_error(const pga_testhost *host);

/* What plugin.h forbids and the host saw, a sentence each. NULL: no such. */
size_t pga_testhost_violation_count(const pga_testhost *host);
const char *pga_testhost_violation(const pga_testhost *host, size_t index);

/* Since the host was made. level may be NULL. */
size_t pga_testhost_log_count(const pga_testhost *host);
const char *pga_testhost_log(const pga_testhost *host, size_t index, uint32_t *level);

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* PGANALYTICS_TESTHOST_H */
