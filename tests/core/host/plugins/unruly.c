/* Does what its configuration's "do" says, and little of it is nice. Compiled under several ids. */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kit.h"

PGA_NOTE(PLUGIN_ID);
DESCRIPTOR(PLUGIN_ID);

static const pga_host* g_host;
static char g_what[256];
static int g_fatal_runs;

static int told_to(const char* what) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\"", what);
  return strstr(g_what, quoted) != NULL;
}

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  (void)error;
  g_host = host;
  *self = &g_what;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  (void)self;
  if (json.len >= sizeof g_what) return PGA_E_CONFIG;
  if (dry_run != 0) {
    if (strstr(json.data, "\"die in the dry run\"") != NULL) abort();
    if (strstr(json.data, "\"hang in the dry run\"") != NULL) poll(NULL, 0, 60000);
    return PGA_OK;
  }
  memcpy(g_what, json.data, json.len);
  g_what[json.len] = '\0';
  if (told_to("refuse")) {
    snprintf(error->message, sizeof error->message, "key 'do': refused as told");
    return PGA_E_CONFIG;
  }
  return PGA_OK;
}

static pga_status emit_text(const pga_run* run, const char* text) {
  const pga_str document = {text, strlen(text)};
  return run->emit(run, document);
}

static pga_status emit_large(const pga_run* run) {
  char* large = malloc(run->max_document_bytes + 1);
  if (large == NULL) return PGA_E_FATAL;
  memset(large, 'x', run->max_document_bytes + 1);
  const pga_str document = {large, run->max_document_bytes + 1};
  run->emit(run, document);
  free(large);
  return PGA_OK; /* as a plugin that does not look at the answer */
}

static pga_status tell_what_it_knows(const pga_run* run) {
  char secret[32] = "", fact[32] = "", rest[192];
  size_t secret_length = sizeof secret - 1, fact_length = sizeof fact - 1, small = 1;
  if (g_host->secret_get(g_host, "password", secret, &small) != PGA_E_TOOSMALL || small != 7) return PGA_E_FAIL;
  if (g_host->secret_get(g_host, "password", secret, &secret_length) != PGA_OK) return PGA_E_FAIL;
  if (g_host->secret_get(g_host, "not_mine", secret, &small) != PGA_E_NOTFOUND) return PGA_E_FAIL;
  if (g_host->info_get(g_host, "host.name", fact, &fact_length) != PGA_OK) return PGA_E_FAIL;
  fact[strlen(fact) - 1] = '\0'; /* without its quotes */
  char instance[64] = "";
  size_t instance_length = sizeof instance - 1;
  if (g_host->info_get(g_host, "plugin.instance", instance, &instance_length) != PGA_OK) return PGA_E_FAIL;
  instance[strlen(instance) - 1] = '\0';
  snprintf(rest, sizeof rest, ",\"text\":\"%s %s %s\"", secret, fact + 1, instance + 1);
  return emit_document(run, PLUGIN_ID, rest);
}

static pga_status wait_for_cancel(const pga_run* run) {
  struct pollfd cancelled = {run->cancel_fd, POLLIN, 0};
  poll(&cancelled, 1, -1);
  return run->cancelled(run) != 0 ? PGA_E_DEADLINE : PGA_E_FAIL;
}

static void spin(long ms) {
  const clock_t until = clock() + ms * (CLOCKS_PER_SEC / 1000);
  while (clock() < until) {
  }
}

static pga_status take_shared_memory(const pga_run* run) {
  const size_t bytes = 64u << 20;
  void* const memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return PGA_E_FATAL;
  memset(memory, 1, bytes);
  return wait_for_cancel(run);
}

/* In a child, which the group's SIGKILL ends. */
static pga_status let_a_child_take_memory(const pga_run* run) {
  const pid_t child = fork();
  if (child < 0) return PGA_E_FATAL;
  if (child == 0) {
    take_shared_memory(run);
    _exit(0);
  }
  return wait_for_cancel(run);
}

/* A document of about `bytes` bytes, at most 60 KiB. */
static size_t write_long(char* text, size_t bytes) {
  const int begin = sprintf(text, "{\"type\":\"" PLUGIN_ID "\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"text\":\"");
  memset(text + begin, 'x', bytes);
  return (size_t)begin + bytes + (size_t)sprintf(text + begin + bytes, "\"}");
}

static pga_status emit_long(const pga_run* run, int count, size_t bytes) {
  static char text[64 * 1024];
  const pga_str document = {text, write_long(text, bytes)};
  pga_status status = PGA_OK;
  for (int i = 0; i < count && status == PGA_OK; ++i) status = run->emit(run, document);
  return status;
}

/* Frames of its own making, past the worker's code: {u32 length, u16 type, u16 flags, u64 run}. */
static void send_frame(uint16_t type, uint64_t run, const char* payload, uint32_t length) {
  static char frame[64 * 1024 + 16];
  memcpy(frame, &length, 4);
  memcpy(frame + 4, &type, 2);
  memset(frame + 6, 0, 2);
  memcpy(frame + 8, &run, 8);
  memcpy(frame + 16, payload, length);
  for (size_t sent = 0; sent < 16 + length;) {
    const ssize_t now = write(3, frame + sent, 16 + length - sent);
    if (now <= 0) _exit(1);
    sent += (size_t)now;
  }
}

static void flood_stderr(void) {
  static char lines[1 << 20];
  memset(lines, 'y', sizeof lines);
  for (size_t i = 99; i < sizeof lines; i += 100) lines[i] = '\n';
  for (;;) {
    if (write(STDERR_FILENO, lines, sizeof lines) < 0) return;
  }
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  (void)self;
  const pga_str cursor = {"1", 1};
  if (told_to("segv")) {
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
  }
  if (told_to("exit")) exit(3);
  if (told_to("hang")) {
    signal(SIGABRT, SIG_IGN);
    for (;;) pause();
  }
  if (told_to("abort late")) {
    for (;;) pause();
  }
  if (told_to("flood stderr")) flood_stderr();
  if (told_to("flood log")) {
    for (int i = 0; i < 100000; ++i) g_host->log(g_host, PGA_LOG_WARN, (pga_str){"again", 5});
  }
  if (told_to("flood frames")) {
    static const char debug_line[16] = {PGA_LOG_DEBUG};  // of no text, with nothing dropped before it
    for (;;) send_frame(68, 0, debug_line, sizeof debug_line);
  }
  if (told_to("long log frame")) {
    static const char zeros[20000];
    send_frame(68, 0, zeros, sizeof zeros);
    return wait_for_cancel(run);
  }
  if (told_to("flood documents")) {
    static char text[64 * 1024];
    const uint32_t length = (uint32_t)write_long(text, 8 * 1024);
    for (;;) send_frame(66, run->sequence, text, length);
  }
  if (told_to("much")) return emit_long(run, 64, 32 * 1024); /* 2 MiB */
  if (told_to("hold")) {
    const pga_status status = emit_long(run, 12, 32 * 1024);
    return status == PGA_OK ? wait_for_cancel(run) : status;
  }
  if (told_to("sleep 4 s")) {
    const struct timespec long_time = {4, 0};
    nanosleep(&long_time, NULL);
    return PGA_OK;
  }
  if (told_to("spin")) {
    for (;;) spin(1000);
  }
  if (told_to("spin a little")) spin(100);
  if (told_to("take shared memory")) return take_shared_memory(run);
  if (told_to("let a child take memory")) return let_a_child_take_memory(run);
  if (told_to("wait")) return wait_for_cancel(run);
  if (told_to("malformed")) return emit_text(run, "{\"type\":"), PGA_OK;
  if (told_to("no object")) return emit_text(run, "[1]"), PGA_OK;
  if (told_to("too large")) return emit_large(run);
  if (told_to("wrong type")) return emit_document(run, "test_counter", "");
  if (told_to("no timestamp")) return emit_text(run, "{\"type\":\"" PLUGIN_ID "\"}");
  if (told_to("bad schema")) return emit_document(run, PLUGIN_ID, ",\"count\":\"many\"");
  if (told_to("unknown key")) return emit_document(run, PLUGIN_ID, ",\"surprise\":1");
  if (told_to("duplicate key")) return emit_document(run, PLUGIN_ID, ",\"count\":1,\"count\":2");
  if (told_to("knows")) return tell_what_it_knows(run);
  if (told_to("print")) {
    fprintf(stderr, "printed by a plugin\nand a rest");
    fflush(stderr);
  }
  if (told_to("fatal") && g_fatal_runs++ == 0) return PGA_E_FATAL;
  if (told_to("refuse the run")) {
    snprintf(error->message, sizeof error->message, "the target speaks another language");
    return PGA_E_CONFIG;
  }
  if (told_to("fail after emitting")) {
    g_host->state_set(g_host, "cursor", cursor);
    emit_document(run, PLUGIN_ID, "");
    snprintf(error->code, sizeof error->code, "target.away");
    snprintf(error->message, sizeof error->message, "the target went away");
    return PGA_E_TRANSIENT;
  }
  if (told_to("many")) {
    for (int i = 0; i < 2000; ++i) {
      const pga_status status = emit_document(run, PLUGIN_ID, "");
      if (status != PGA_OK) return status;
    }
    return PGA_OK;
  }
  return emit_document(run, PLUGIN_ID, "");
}

static void destroy(void* self) { (void)self; }

static const pga_plugin kPlugin = {
    sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
