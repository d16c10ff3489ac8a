/* Wrong in what a run emits or logs. The define says how. */
#define OUTPUT_SCHEMA                                                                                          \
  "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"type\",\"timestamp\"],\"properties\":{" \
  "\"type\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"               \
  "\"label\":{\"type\":\"string\",\"x-label\":true},\"sample\":{\"type\":\"integer\",\"x-kind\":\"label\"},"   \
  "\"documents\":{\"type\":\"integer\",\"x-kind\":\"counter\",\"x-unit\":\"1\"},"                              \
  "\"requests_total\":{\"type\":\"integer\",\"x-kind\":\"gauge\",\"x-unit\":\"1\"},"                           \
  "\"text\":{\"type\":\"string\",\"x-kind\":\"info\"},"                                                        \
  "\"load\":{\"type\":[\"number\",\"null\"],\"x-kind\":\"gauge\",\"x-unit\":\"1\"}}}"
#include "kit.h"

#define STAMP "\"timestamp\":\"2026-02-03T04:05:06Z\""

static inline pga_status emit_text(const pga_run* run, const char* text) {
  const pga_str document = {text, strlen(text)};
  return run->emit(run, document);
}

static inline pga_status emit_large(const pga_run* run) {
  const size_t length = run->max_document_bytes + 1u;
  char* large = malloc(length);
  if (large == NULL) return PGA_E_FATAL;
  memset(large, ' ', length);
  const pga_str document = {large, length};
  const pga_status status = run->emit(run, document);
  free(large);
  return status;
}

/* The first line of its file, as it is. */
static inline void first_line(const char* path, char* to, size_t room) {
  FILE* file = fopen(path, "re");
  if (file == NULL || fgets(to, (int)room, file) == NULL) to[0] = '\0';
  to[strcspn(to, "\n")] = '\0';
  if (file != NULL) fclose(file);
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
#if defined(LOGS_SECRET) /* E39 */
  const victim* me = self;
  char line[128] = "connecting with ";
  size_t length = 64;
  if (me->host->secret_get(me->host, "token", line + 16, &length) == PGA_OK) {
    const pga_str text = {line, 16 + length};
    me->host->log(me->host, PGA_LOG_DEBUG, text);
  }
#endif
  return good_configure(self, json, dry_run, error);
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  victim* me = self;
#if defined(DUPLICATE_KEY) /* E31 */
  return emit_sample(me, run, 0, 1, ",\"text\":\"a\",\"text\":\"b\"");
#elif defined(BROKEN_UTF8)
  return emit_sample(me, run, 0, 1, ",\"text\":\"caf\xe9\"");
#elif defined(NOT_A_NUMBER)
  return emit_sample(me, run, 0, 1, ",\"requests_total\":NaN");
#elif defined(TWO_IN_ONE)
  return emit_text(run, "{}{}");
#elif defined(AN_ARRAY)
  return emit_text(run, "[1]");
#elif defined(CUT_OFF)
  return emit_text(run, "{\"type\":");
#elif defined(TOO_LARGE)
  return emit_large(run);
#elif defined(FAILS)
  return told(error, PGA_E_FAIL, "the target speaks another language");
#elif defined(WRONG_TYPE) /* E32 */
  return emit_sample(me, run, 0, 1, ",\"requests_total\":\"many\"");
#elif defined(UNKNOWN_KEY)
  return emit_sample(me, run, 0, 1, ",\"surprise\":1");
#elif defined(NO_TIMESTAMP)
  return emit_text(run, "{\"type\":\"" ID "\"}");
#elif defined(BAD_TIMESTAMP)
  return emit_text(run, "{\"type\":\"" ID "\",\"timestamp\":\"yesterday\"}");
#elif defined(ANOTHERS)
  return emit_text(run, "{\"type\":\"test_another\"," STAMP "}");
#elif defined(COUNTS_DOWN)    /* E33 */
  return emit_sample(me, run, 0, 1000000 - (long)run->sequence, "");
#elif defined(CALLS_IT_GAUGE) /* W34 */
  char more[64];
  snprintf(more, sizeof more, ",\"requests_total\":%d", (int)run->sequence);
  return emit_sample(me, run, 0, 1, more);
#elif defined(EMITS_NOTHING)  /* E35 */
  return PGA_OK;
#elif defined(SHOWS_SECRET)   /* E39 */
  char more[128] = ",\"text\":\"";
  size_t length = 64;
  if (me->host->secret_get(me->host, "token", more + 9, &length) != PGA_OK) return emit_sample(me, run, 0, 1, "");
  memcpy(more + 9 + length, "\"", 2);
  return emit_sample(me, run, 0, 1, more);
#elif defined(CHATTERS)       /* W53 */
  const pga_str line = {"still here", 10};
  me->host->log(me->host, PGA_LOG_INFO, line);
  me->host->log(me->host, PGA_LOG_INFO, line);
#elif defined(CRIES_WOLF)
  static const char kLine[] = "nothing is wrong";
  if (run->sequence == 3) {
    const pga_str line = {kLine, sizeof kLine - 1};
    me->host->log(me->host, PGA_LOG_ERROR, line);
  }
#elif defined(TRUSTS_FILES) /* E54 */
  char line[256], more[400];
  first_line(me->path, line, sizeof line);
  snprintf(more, sizeof more, ",\"text\":\"%s\"", line);
  return emit_sample(me, run, 0, 1, more);
#elif defined(LEAKS)        /* W51 */
  if (malloc(1024) == NULL) return PGA_E_FATAL;
#endif
  (void)me;
  return good_collect(self, run, error);
}

TABLES(good_create, configure, collect, NULL, good_destroy, NULL)
