/* fault_flood: more of what is allowed than anybody can take. */
#include "kit.h"

#include <fcntl.h>

static pga_status flood_stderr_lines(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  static char block[1 << 16];
  memset(block, 'x', sizeof block);
  for (size_t at = 79; at < sizeof block; at += 80) block[at] = '\n';
  for (;;) {
    if (write(STDERR_FILENO, block, sizeof block) < 0 && errno != EINTR) return PGA_E_FAIL;
  }
}

static pga_status flood_stderr_no_lines(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  static char block[1 << 16]; /* of NULs, and no newline ever */
  for (;;) {
    if (write(STDERR_FILENO, block, sizeof block) < 0 && errno != EINTR) return PGA_E_FAIL;
  }
}

static pga_status flood_log(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  const pga_str line = {"again", 5};
  for (;;) g_host->log(g_host, PGA_LOG_ERROR, line);
}

static pga_status log_huge(const pga_run* run, pga_error* error) {
  enum { kBytes = 64 << 20 };
  (void)error;
  char* text = malloc(kBytes);
  if (text == NULL) return PGA_E_FAIL;
  memset(text, 'x', kBytes);
  const pga_str line = {text, kBytes};
  for (int i = 0; i < 10; ++i) g_host->log(g_host, PGA_LOG_ERROR, line);
  free(text);
  return emit_document(run, "");
}

static pga_status flood_state(const pga_run* run, pga_error* error) {
  enum { kBytes = 64 << 10, kKeys = 1000 };
  static char value[kBytes];
  (void)run;
  for (int i = 0; i < kKeys; ++i) {
    char key[32];
    snprintf(key, sizeof key, "key.%d", i);
    const pga_str bytes = {value, sizeof value};
    const pga_status status = g_host->state_set(g_host, key, bytes);
    if (status == PGA_OK) continue;
    snprintf(error->message, sizeof error->message, "state_set refused value %d with %d", i, (int)status);
    return status;
  }
  return escaped(run, "64 MiB of state");
}

static pga_status state_oddities(const pga_run* run, pga_error* error) {
  static char large[2 << 20];
  memset(large, 'k', sizeof large - 1);
  const pga_str value = {"v", 1}, huge = {large, sizeof large};
  if (g_host->state_set(g_host, large, value) == PGA_OK) return escaped(run, "a key of 2 MiB");
  if (g_host->state_set(g_host, "a key/../with\nodd bytes", value) == PGA_OK) return escaped(run, "a key of odd bytes");
  if (g_host->state_set(g_host, "key", huge) == PGA_OK) return escaped(run, "a value of 2 MiB");
  snprintf(error->message, sizeof error->message, "state_set refused keys and values out of its limits");
  return PGA_E_LIMIT;
}

static pga_status flood_questions(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  for (;;) {
    char value[256];
    size_t length = sizeof value;
    g_host->info_get(g_host, "host.name", value, &length);
  }
}

static pga_status ask_huge(const pga_run* run, pga_error* error) {
  enum { kBytes = 12 << 20 };
  char* name = malloc(kBytes);
  if (name == NULL) return PGA_E_FAIL;
  memset(name, 'n', kBytes - 1);
  name[kBytes - 1] = '\0';
  char value[16];
  for (int i = 0; i < 20; ++i) {
    size_t length = sizeof value;
    if (g_host->secret_get(g_host, name, value, &length) == PGA_OK) return escaped(run, "a secret of no name");
  }
  free(name);
  snprintf(error->message, sizeof error->message, "there is no secret of such a name");
  return PGA_E_NOTFOUND;
}

/* A plugin that does not look at what emit() answers. */
static pga_status flood_documents(const pga_run* run, pga_error* error) {
  (void)error;
  for (int i = 0; i < 1000000; ++i) emit_document(run, "");
  return PGA_OK;
}

/* Within every limit of a document and a run: about 700,000 rows whose labels never come again. */
static pga_status flood_series(const pga_run* run, pga_error* error) {
  (void)error;
  const size_t room = run->max_document_bytes;
  char* text = malloc(room);
  if (text == NULL) return PGA_E_FAIL;
  static unsigned series;
  pga_status status = PGA_OK;
  while (status == PGA_OK) {
    char when[96];
    format_time(run->scheduled_unix_ns, when, sizeof when);
    size_t length = (size_t)snprintf(text, room, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"rows\":[", PLUGIN_ID, when);
    while (length + 64 < room)
      length += (size_t)snprintf(text + length, 64, "{\"name\":\"%u\",\"value\":%u},", series, series), ++series;
    memcpy(text + length - 1, "]}", 2);
    status = emit_bytes(run, text, length + 1);
  }
  free(text);
  return status == PGA_E_LIMIT ? PGA_OK : status; /* what a limit cut off is simply not there */
}

/* Keys that the schema does not know. */
static pga_status flood_keys(const pga_run* run, pga_error* error) {
  (void)error;
  const size_t room = run->max_document_bytes;
  char* text = malloc(room);
  if (text == NULL) return PGA_E_FAIL;
  char when[96];
  format_time(run->scheduled_unix_ns, when, sizeof when);
  size_t length = (size_t)snprintf(text, room, "{\"type\":\"%s\",\"timestamp\":\"%s\"", PLUGIN_ID, when);
  for (unsigned key = 0; length + 32 < room; ++key) length += (size_t)snprintf(text + length, 32, ",\"k%u\":%u", key, key);
  text[length] = '}';
  const pga_status status = emit_bytes(run, text, length + 1);
  free(text);
  return status;
}

static const named_misdeed kMisdeeds[] = {{"stderr", flood_stderr_lines},
                                          {"stderr_no_lines", flood_stderr_no_lines},
                                          {"log", flood_log},
                                          {"log_huge", log_huge},
                                          {"state", flood_state},
                                          {"state_oddities", state_oddities},
                                          {"questions", flood_questions},
                                          {"ask_huge", ask_huge},
                                          {"documents", flood_documents},
                                          {"series", flood_series},
                                          {"keys", flood_keys},
                                          {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
