/* Well-behaved: counts its runs in durable state. Compiled under several ids. */
#include "kit.h"

PGA_NOTE(PLUGIN_ID);
DESCRIPTOR(PLUGIN_ID);

typedef struct counter {
  const pga_host* host;
  long step;
} counter;

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  (void)error;
  counter* made = calloc(1, sizeof *made);
  if (made == NULL) return PGA_E_FATAL;
  made->host = host;
  made->step = 1;
  *self = made;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  char text[256];
  if (json.len >= sizeof text) return PGA_E_CONFIG;
  memcpy(text, json.data, json.len);
  text[json.len] = '\0';
  if (strstr(text, "\"bad\"") != NULL) {
    snprintf(error->code, sizeof error->code, "config.bad");
    snprintf(error->message, sizeof error->message, "key 'bad' is not wanted");
    return PGA_E_CONFIG;
  }
  const char* step = strstr(text, "\"step\":");
  if (dry_run == 0 && step != NULL) ((counter*)self)->step = atol(step + 7);
  return PGA_OK;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  counter* me = self;
  char value[32] = "0", rest[96];
  size_t length = sizeof value - 1;
  (void)error;
  pga_status status = me->host->state_get(me->host, "count", value, &length);
  if (status != PGA_OK && status != PGA_E_NOTFOUND) return status;
  if (status == PGA_OK) value[length] = '\0';
  const long count = atol(value) + me->step;
  const pga_str next = {value, (size_t)snprintf(value, sizeof value, "%ld", count)};
  status = me->host->state_set(me->host, "count", next);
  if (status != PGA_OK) return status;
  snprintf(rest, sizeof rest, ",\"count\":%ld,\"run\":%" PRIu64, count, run->sequence);
  return emit_document(run, PLUGIN_ID, rest);
}

static void destroy(void* self) { free(self); }

static const pga_plugin kPlugin = {
    sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
