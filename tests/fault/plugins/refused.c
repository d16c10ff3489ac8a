/* fault_refused: no plugin for this host, for one reason a build: NO_NOTE, TWO_NOTES, OTHER_MAJOR, NO_ENTRY, OTHER_ID,
 * FUTURE_MINOR, UNKNOWN_NEED, SCHEMA_KEYWORD, SCHEMA_NO_JSON, SCHEMA_NO_UNIT, SHORT_TABLE, NO_COLLECT, NOT_UTF8, ENDLESS_TEXT,
 * WILD_POINTER. */
#include "kit.h"

#if defined(OTHER_MAJOR)
__attribute__((section(PGA_NOTE_SECTION), used, aligned(4))) static const pga_note kNote = {
    4u, 44u, PGA_NOTE_TYPE, PGA_NOTE_NAME, PGA_ABI_MAJOR + 1, 0, PLUGIN_ID};
#elif !defined(NO_NOTE)
PGA_NOTE(PLUGIN_ID);
#endif
#if defined(TWO_NOTES)
__attribute__((section(PGA_NOTE_SECTION), used, aligned(4))) static const pga_note kSecondNote = {
    4u, 44u, PGA_NOTE_TYPE, PGA_NOTE_NAME, PGA_ABI_MAJOR, 0, PLUGIN_ID};
#endif

#if defined(OTHER_ID)
#define ID "pg_stats"
#else
#define ID PLUGIN_ID
#endif
#if defined(FUTURE_MINOR)
#define MINOR 99
#else
#define MINOR 0
#endif
#if defined(UNKNOWN_NEED)
#define NEEDS (1u << 31)
#else
#define NEEDS 0
#endif
#if defined(SCHEMA_KEYWORD)
#define OUTPUT "{\"type\":\"object\",\"dependentSchemas\":{}}"
#elif defined(SCHEMA_NO_JSON)
#define OUTPUT "{\"type\":\"object\","
#elif defined(SCHEMA_NO_UNIT)
#define OUTPUT "{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"number\",\"x-kind\":\"furlong\"}}}"
#else
#define OUTPUT KIT_OUTPUT_SCHEMA
#endif
#if defined(NOT_UTF8)
#define VENDOR "vendor \xC3\x28 \xFF \x1B[2J"
#elif defined(WILD_POINTER)
#define VENDOR (const char*)16
#elif defined(ENDLESS_TEXT)
static char g_endless[8 << 20] = "x"; /* filled in by the entry function: 8 MiB without an end */
#define VENDOR g_endless
#else
#define VENDOR "pgAnalytics tests"
#endif
#if defined(SHORT_TABLE)
#define DESCRIPTOR_SIZE 16
#else
#define DESCRIPTOR_SIZE sizeof(pga_descriptor)
#endif
#if defined(NO_COLLECT)
#define COLLECT NULL
#else
#define COLLECT kit_collect
#endif

static const pga_descriptor kDescriptor = {DESCRIPTOR_SIZE,   MINOR,  ID,    "", "1.0.0", VENDOR, "is refused", "Apache-2.0", "",
                                           KIT_CONFIG_SCHEMA, OUTPUT, NEEDS, 0,  1000,    1000};

static pga_status choose(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  static const named_misdeed kNone[] = {{NULL, NULL}};
  (void)self;
  return kit_choose(kNone, json, dry_run, error);
}

static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, kit_create, choose, COLLECT, NULL,
                                   kit_destroy,        NULL};

#if defined(NO_ENTRY)
#define pga_plugin_v1 pga_plugin_v9
PGA_EXPORT const pga_plugin* pga_plugin_v9(uint32_t host_minor);
#endif
PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
#if defined(ENDLESS_TEXT)
  memset(g_endless, 'x', sizeof g_endless);
#endif
  (void)kit_collect;
  return &kPlugin;
}
