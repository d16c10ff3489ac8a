/* fault_lies: answers and documents that are not what the contract says. */
#include "kit.h"

#include <pthread.h>

static pga_status emit_rest(const pga_run* run, const char* rest) { return emit_document(run, rest); }

static pga_status not_a_number(const pga_run* run, pga_error* error) {
  (void)error;
  return emit_rest(run, ",\"value\":NaN"), PGA_OK;
}

static pga_status infinite(const pga_run* run, pga_error* error) {
  (void)error;
  return emit_rest(run, ",\"value\":1e999"), PGA_OK;
}

static pga_status not_utf8(const pga_run* run, pga_error* error) {
  (void)error;
  return emit_rest(run, ",\"text\":\"\xC3\x28 \xF0\x9F\""), PGA_OK;
}

static pga_status not_utf8_in_words(const pga_run* run, pga_error* error) {
  (void)run;
  const pga_str line = {"log \xC3\x28 \x1B[2J \xFF\n2026-01-01 forged line", 40};
  g_host->log(g_host, PGA_LOG_WARN, line);
  snprintf(error->code, sizeof error->code, "\xFF\x1B[31m");
  snprintf(error->message, sizeof error->message, "bytes \xC3\x28 \x1B[2J \xFF\n2026-01-01 forged line");
  return PGA_E_FAIL;
}

static pga_status deep(const pga_run* run, pga_error* error) {
  enum { kDepth = 400000 };
  (void)error;
  char* text = malloc(2 * kDepth + 16);
  if (text == NULL) return PGA_E_FAIL;
  memcpy(text, "{\"rows\":", 8);
  memset(text + 8, '[', kDepth);
  memset(text + 8 + kDepth, ']', kDepth);
  text[8 + 2 * kDepth] = '}';
  const pga_status status = emit_bytes(run, text, 9 + 2 * kDepth);
  free(text);
  return status;
}

static pga_status time_goes_back(const pga_run* run, pga_error* error) {
  char when[96], text[256];
  (void)error;
  format_time(run->scheduled_unix_ns - (int64_t)run->sequence * 86400 * 1000000000LL, when, sizeof when);
  const int length =
      snprintf(text, sizeof text, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"run\":%" PRIu64 "}", PLUGIN_ID, when, run->sequence);
  return emit_bytes(run, text, (size_t)length);
}

/* Dates that are none, or that no calendar of a database holds. */
static pga_status no_time(const pga_run* run, pga_error* error) {
  static const char* const kTimes[] = {
      "2026-02-30T00:00:00Z", "99999-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "2026-01-01T25:61:61Z", "yesterday", ""};
  (void)error;
  char text[256];
  for (size_t i = 0; i < sizeof kTimes / sizeof *kTimes; ++i) {
    const int length = snprintf(text, sizeof text, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"text\":\"ESCAPED: %s\"}", PLUGIN_ID,
                                kTimes[i], kTimes[i]);
    emit_bytes(run, text, (size_t)length);
  }
  return PGA_OK;
}

static const pga_run* g_kept_run;

static void* emit_later(void* nothing) {
  for (;;) {
    emit_document(g_kept_run, ",\"text\":\"late\"");
    usleep(1000);
  }
  return nothing;
}

/* It keeps the table of its first run, and a thread goes on with it when the run is over. */
static pga_status emit_after_return(const pga_run* run, pga_error* error) {
  static pga_run kept;
  pthread_t thread;
  const pga_status emitted = emit_document(run, "");
  if (g_kept_run != NULL) return emitted;
  kept = *run;
  g_kept_run = &kept;
  errno = pthread_create(&thread, NULL, emit_later, NULL);
  return errno != 0 ? stopped(error, "start a thread") : emitted;
}

static pga_status positive_status(const pga_run* run, pga_error* error) {
  (void)run;
  snprintf(error->message, sizeof error->message, "status 7, whatever that is");
  return 7;
}

static pga_status unknown_status(const pga_run* run, pga_error* error) {
  (void)run;
  snprintf(error->message, sizeof error->message, "the smallest status there is");
  return INT32_MIN;
}

/* All of the error's room, and not one NUL. */
static pga_status endless_error(const pga_run* run, pga_error* error) {
  (void)run;
  memset(error->code, 'c', sizeof error->code);
  memset(error->message, 'm', sizeof error->message);
  error->retry_after_ms = UINT32_MAX;
  return PGA_E_FAIL;
}

static pga_status error_forever(const pga_run* run, pga_error* error) {
  (void)run;
  snprintf(error->code, sizeof error->code, "fault.again");
  snprintf(error->message, sizeof error->message, "it never works");
  return PGA_E_FAIL;
}

static pga_status fatal_forever(const pga_run* run, pga_error* error) {
  (void)run;
  snprintf(error->message, sizeof error->message, "this instance is unusable");
  return PGA_E_FATAL;
}

static pga_status null_document(const pga_run* run, pga_error* error) {
  (void)error;
  return emit_bytes(run, NULL, 0), PGA_OK;
}

static const named_misdeed kMisdeeds[] = {{"nan", not_a_number},
                                          {"infinite", infinite},
                                          {"not_utf8", not_utf8},
                                          {"not_utf8_in_words", not_utf8_in_words},
                                          {"deep", deep},
                                          {"time_goes_back", time_goes_back},
                                          {"no_time", no_time},
                                          {"emit_after_return", emit_after_return},
                                          {"positive_status", positive_status},
                                          {"unknown_status", unknown_status},
                                          {"endless_error", endless_error},
                                          {"error_forever", error_forever},
                                          {"fatal_forever", fatal_forever},
                                          {"null_document", null_document},
                                          {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
