/* fault_moody: does what its configuration's "mood" says, and tells in each document which configuration ("number") it works by.
 * What a schema can refuse, what only the plugin can, and what shows when it runs: one plugin for every way in which a
 * configuration is bad. */
#include "kit.h"

#define MOODS                                                                                                                 \
  "[\"good\",\"refuse\",\"refuse_at_last\",\"dry_crash\",\"dry_hang\",\"crash_at_last\",\"hang_at_last\",\"fail\",\"wrong\"," \
  "\"crash\","                                                                                                                \
  "\"exit\",\"hang\",\"leak\",\"bad_document\",\"spin\"]"

static const char kSchema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"mood\":{\"type\":\"string\",\"enum\":" MOODS
    ",\"default\":\"good\"},"
    "\"number\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000,\"default\":0},"
    "\"labels\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"maxItems\":3,\"default\":[]},"
    "\"watch\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"path-read\"},\"default\":[]},"
    "\"mine\":{\"type\":\"string\",\"x-local\":true,\"default\":\"\"}}}";

static const char kOutput[] =
    "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\",\"format\":\"date-"
    "time\"},"
    "\"run\":{\"type\":\"integer\",\"x-kind\":\"counter\",\"x-unit\":\"1\"},"
    "\"number\":{\"type\":\"integer\",\"x-kind\":\"gauge\",\"x-unit\":\"1\"}},\"required\":[\"type\",\"timestamp\"],"
    "\"additionalProperties\":false}";

static char g_mood[32];
static long g_number;

static int feels(const char* mood) { return strcmp(g_mood, mood) == 0; }

static void hang(void) {
  for (;;) pause();
}

static pga_status refuse(pga_error* error) {
  snprintf(error->code, sizeof error->code, "moody.no");
  snprintf(error->message, sizeof error->message, "not in this mood");
  return PGA_E_CONFIG;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  char text[2048], mood[32];
  (void)self;
  if (json.len >= sizeof text) return PGA_E_CONFIG;
  memcpy(text, json.data, json.len);
  text[json.len] = '\0';
  read_text(text, "mood", mood, sizeof mood);
  if (strcmp(mood, "refuse") == 0) return refuse(error);
  if (dry_run != 0) {
    if (strcmp(mood, "dry_crash") == 0) abort();
    if (strcmp(mood, "dry_hang") == 0) hang();
    return PGA_OK;
  }
  if (strcmp(mood, "refuse_at_last") == 0) return refuse(error);
  if (strcmp(mood, "crash_at_last") == 0) abort();
  if (strcmp(mood, "hang_at_last") == 0) hang();
  snprintf(g_mood, sizeof g_mood, "%s", mood);
  const char* number = strstr(text, "\"number\":");
  g_number = number != NULL ? strtol(number + 9, NULL, 10) : 0;
  return PGA_OK;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  char rest[64];
  (void)self;
  if (feels("fail") || feels("wrong")) {
    snprintf(error->code, sizeof error->code, "moody.fail");
    snprintf(error->message, sizeof error->message, "database \"no_such\" does not exist");
    return feels("wrong") ? PGA_E_CONFIG : PGA_E_FAIL;
  }
  if (feels("crash")) abort();
  if (feels("exit")) exit(0);
  if (feels("hang")) hang();
  if (feels("spin")) {
    for (volatile unsigned count = 0;;) ++count;
  }
  if (feels("leak")) {
    for (;;) {
      char* block = malloc(1 << 20);
      if (block != NULL) memset(block, 1, 1 << 20);
    }
  }
  if (feels("bad_document")) return emit_document(run, ",\"number\":\"none\"");
  snprintf(rest, sizeof rest, ",\"number\":%ld", g_number);
  return emit_document(run, rest);
}

PGA_NOTE(PLUGIN_ID);
static const pga_descriptor kDescriptor = {sizeof(pga_descriptor),
                                           0,
                                           PLUGIN_ID,
                                           "",
                                           "1.0.0",
                                           "pgAnalytics tests",
                                           "is moody",
                                           "Apache-2.0",
                                           "",
                                           kSchema,
                                           kOutput,
                                           0,
                                           0,
                                           1000,
                                           1000};
static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, kit_create, configure, collect, NULL,
                                   kit_destroy,        NULL};
PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
