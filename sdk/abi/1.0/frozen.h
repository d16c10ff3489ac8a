/* What ABI 1.0 promised, as assertions: size, alignment, offset and type of every member, value and type of every constant, the entry
 * symbol, the note. Compiled as C11 and as C++11 against today's plugin.h, for each machine; so no compiler, flag or edit changes a
 * promise without a build error.
 *
 * Once 1.0 is released this file never changes. What 1.1 adds goes into ../1.1/frozen.h; the tests compile all of them. A struct with
 * struct_size may have grown at its end, hence "at least" its size; with PGA_FROZEN_EXACT, for ABI 1.0's own header, exactly.
 */
#ifndef PGANALYTICS_ABI_1_0_FROZEN_H
#define PGANALYTICS_ABI_1_0_FROZEN_H

#include <pganalytics/plugin.h>

#ifdef __cplusplus
#include <type_traits>
#define PGA_FROZEN(condition, text) static_assert(condition, text)
#define PGA_FROZEN_ALIGN(type) alignof(type)
/* The type of a member, arrays and all. */
#define PGA_FROZEN_MEMBER_IS(type, member, ...) std::is_same<decltype(type::member), __VA_ARGS__>::value
#define PGA_FROZEN_VALUE_IS(expression, ...) std::is_same<decltype(expression), __VA_ARGS__>::value
#else
#define PGA_FROZEN(condition, text) _Static_assert(condition, text)
#define PGA_FROZEN_ALIGN(type) _Alignof(type)
/* By its address, because an array would decay and a qualifier be lost. */
#define PGA_FROZEN_MEMBER_IS(type, member, ...) _Generic(&((type *)0)->member, __typeof__(__VA_ARGS__) *: 1, default: 0)
#define PGA_FROZEN_VALUE_IS(expression, ...) _Generic((expression), __VA_ARGS__: 1, default: 0)
#endif

#ifdef PGA_FROZEN_EXACT
#define PGA_FROZEN_SIZE(type, bytes, alignment)                         \
  PGA_FROZEN(sizeof(type) == (bytes), #type " has another size");       \
  PGA_FROZEN(PGA_FROZEN_ALIGN(type) == (alignment), #type " has another alignment")
#else
#define PGA_FROZEN_SIZE(type, bytes, alignment)                         \
  PGA_FROZEN(sizeof(type) >= (bytes), #type " has shrunk");             \
  PGA_FROZEN(PGA_FROZEN_ALIGN(type) == (alignment), #type " has another alignment")
#endif
#define PGA_FROZEN_WHOLE(type, bytes, alignment)                                              \
  PGA_FROZEN(sizeof(type) == (bytes), #type " has no struct_size and cannot change");         \
  PGA_FROZEN(PGA_FROZEN_ALIGN(type) == (alignment), #type " has another alignment")
#define PGA_FROZEN_MEMBER(type, member, offset, bytes, ...)                                        \
  PGA_FROZEN(offsetof(type, member) == (offset), #type "." #member " has moved");                  \
  PGA_FROZEN(sizeof(((type *)0)->member) == (bytes), #type "." #member " has another size");       \
  PGA_FROZEN(PGA_FROZEN_MEMBER_IS(type, member, __VA_ARGS__), #type "." #member " has another type")
#define PGA_FROZEN_CONSTANT(name, type, value)                    \
  PGA_FROZEN((name) == (value), #name " has another value");      \
  PGA_FROZEN(PGA_FROZEN_VALUE_IS(name, type), #name " has another type")

/* The ABI is promised where these hold. */
PGA_FROZEN(sizeof(void *) == 8 && sizeof(size_t) == 8 && sizeof(void (*)(void)) == 8, "the plugin ABI is for 64-bit machines");
PGA_FROZEN(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the plugin ABI is for little-endian machines");

PGA_FROZEN(PGA_FROZEN_VALUE_IS((pga_status)0, int32_t), "pga_status has another type");

PGA_FROZEN_WHOLE(pga_str, 16, 8);
PGA_FROZEN_MEMBER(pga_str, data, 0, 8, const char *);
PGA_FROZEN_MEMBER(pga_str, len, 8, 8, size_t);

PGA_FROZEN_SIZE(pga_error, 520, 4);
PGA_FROZEN_MEMBER(pga_error, struct_size, 0, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_error, retry_after_ms, 4, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_error, code, 8, 32, char[32]);
PGA_FROZEN_MEMBER(pga_error, message, 40, 480, char[480]);

PGA_FROZEN_SIZE(pga_host, 88, 8);
PGA_FROZEN_MEMBER(pga_host, struct_size, 0, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_host, abi_minor, 4, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_host, ctx, 8, 8, void *);
PGA_FROZEN_MEMBER(pga_host, product, 16, 8, const char *);
PGA_FROZEN_MEMBER(pga_host, version, 24, 8, const char *);
PGA_FROZEN_MEMBER(pga_host, log, 32, 8, void (*)(const pga_host *, uint32_t, pga_str));
PGA_FROZEN_MEMBER(pga_host, log_level, 40, 8, uint32_t (*)(const pga_host *));
PGA_FROZEN_MEMBER(pga_host, state_get, 48, 8, pga_status (*)(const pga_host *, const char *, char *, size_t *));
PGA_FROZEN_MEMBER(pga_host, state_set, 56, 8, pga_status (*)(const pga_host *, const char *, pga_str));
PGA_FROZEN_MEMBER(pga_host, secret_get, 64, 8, pga_status (*)(const pga_host *, const char *, char *, size_t *));
PGA_FROZEN_MEMBER(pga_host, info_get, 72, 8, pga_status (*)(const pga_host *, const char *, char *, size_t *));
PGA_FROZEN_MEMBER(pga_host, get_extension, 80, 8, const void *(*)(const pga_host *, const char *));

PGA_FROZEN_SIZE(pga_run, 72, 8);
PGA_FROZEN_MEMBER(pga_run, struct_size, 0, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_run, reason, 4, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_run, ctx, 8, 8, void *);
PGA_FROZEN_MEMBER(pga_run, sequence, 16, 8, uint64_t);
PGA_FROZEN_MEMBER(pga_run, scheduled_unix_ns, 24, 8, int64_t);
PGA_FROZEN_MEMBER(pga_run, previous_unix_ns, 32, 8, int64_t);
PGA_FROZEN_MEMBER(pga_run, deadline_mono_ns, 40, 8, int64_t);
PGA_FROZEN_MEMBER(pga_run, cancel_fd, 48, 4, int32_t);
PGA_FROZEN_MEMBER(pga_run, max_document_bytes, 52, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_run, cancelled, 56, 8, uint32_t (*)(const pga_run *));
PGA_FROZEN_MEMBER(pga_run, emit, 64, 8, pga_status (*)(const pga_run *, pga_str));

PGA_FROZEN_SIZE(pga_descriptor, 96, 8);
PGA_FROZEN_MEMBER(pga_descriptor, struct_size, 0, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_descriptor, min_host_minor, 4, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_descriptor, id, 8, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, aliases, 16, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, version, 24, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, vendor, 32, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, description, 40, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, license, 48, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, url, 56, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, config_schema, 64, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, output_schema, 72, 8, const char *);
PGA_FROZEN_MEMBER(pga_descriptor, needs, 80, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_descriptor, flags, 84, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_descriptor, default_interval_ms, 88, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_descriptor, default_timeout_ms, 92, 4, uint32_t);

PGA_FROZEN_SIZE(pga_plugin, 64, 8);
PGA_FROZEN_MEMBER(pga_plugin, struct_size, 0, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_plugin, abi_minor, 4, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_plugin, descriptor, 8, 8, const pga_descriptor *);
PGA_FROZEN_MEMBER(pga_plugin, create, 16, 8, pga_status (*)(const pga_host *, const char *, void **, pga_error *));
PGA_FROZEN_MEMBER(pga_plugin, configure, 24, 8, pga_status (*)(void *, pga_str, uint32_t, pga_error *));
PGA_FROZEN_MEMBER(pga_plugin, collect, 32, 8, pga_status (*)(void *, const pga_run *, pga_error *));
PGA_FROZEN_MEMBER(pga_plugin, cancel, 40, 8, void (*)(void *));
PGA_FROZEN_MEMBER(pga_plugin, destroy, 48, 8, void (*)(void *));
PGA_FROZEN_MEMBER(pga_plugin, get_extension, 56, 8, const void *(*)(void *, const char *));

PGA_FROZEN_WHOLE(pga_note, 60, 4);
PGA_FROZEN_MEMBER(pga_note, namesz, 0, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_note, descsz, 4, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_note, type, 8, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_note, name, 12, 4, char[4]);
PGA_FROZEN_MEMBER(pga_note, abi_major, 16, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_note, abi_minor, 20, 4, uint32_t);
PGA_FROZEN_MEMBER(pga_note, id, 24, 36, char[36]);

PGA_FROZEN_CONSTANT(PGA_ABI_MAJOR, unsigned int, 1u);
PGA_FROZEN(PGA_FROZEN_VALUE_IS(PGA_ABI_MINOR, unsigned int), "PGA_ABI_MINOR has another type");
PGA_FROZEN_CONSTANT(PGA_OK, int, 0);
PGA_FROZEN_CONSTANT(PGA_E_FAIL, int, -1);
PGA_FROZEN_CONSTANT(PGA_E_CONFIG, int, -2);
PGA_FROZEN_CONSTANT(PGA_E_TRANSIENT, int, -3);
PGA_FROZEN_CONSTANT(PGA_E_DEADLINE, int, -4);
PGA_FROZEN_CONSTANT(PGA_E_DENIED, int, -5);
PGA_FROZEN_CONSTANT(PGA_E_UNSUPPORTED, int, -6);
PGA_FROZEN_CONSTANT(PGA_E_TOOSMALL, int, -7);
PGA_FROZEN_CONSTANT(PGA_E_NOTFOUND, int, -8);
PGA_FROZEN_CONSTANT(PGA_E_LIMIT, int, -9);
PGA_FROZEN_CONSTANT(PGA_E_FATAL, int, -10);
PGA_FROZEN_CONSTANT(PGA_LOG_ERROR, unsigned int, 1u);
PGA_FROZEN_CONSTANT(PGA_LOG_WARN, unsigned int, 2u);
PGA_FROZEN_CONSTANT(PGA_LOG_INFO, unsigned int, 3u);
PGA_FROZEN_CONSTANT(PGA_LOG_DEBUG, unsigned int, 4u);
PGA_FROZEN_CONSTANT(PGA_REASON_SCHEDULE, unsigned int, 0u);
PGA_FROZEN_CONSTANT(PGA_REASON_ONDEMAND, unsigned int, 1u);
PGA_FROZEN_CONSTANT(PGA_REASON_FINAL, unsigned int, 2u);
PGA_FROZEN_CONSTANT(PGA_NEED_PG, unsigned int, 1u);
PGA_FROZEN_CONSTANT(PGA_NEED_NET, unsigned int, 2u);
PGA_FROZEN_CONSTANT(PGA_NEED_READ_FS, unsigned int, 4u);
PGA_FROZEN_CONSTANT(PGA_NEED_PROC, unsigned int, 8u);
PGA_FROZEN_CONSTANT(PGA_NEED_EXEC, unsigned int, 16u);
PGA_FROZEN_CONSTANT(PGA_F_SINGLETON, unsigned int, 1u);
PGA_FROZEN_CONSTANT(PGA_F_AFFINE, unsigned int, 2u);
PGA_FROZEN_CONSTANT(PGA_NOTE_TYPE, unsigned int, 1u);

/* Texts. C cannot compare these while it compiles; the program that includes this does, with PGA_FROZEN_TEXTS. */
#define PGA_FROZEN_TEXTS(check)               \
  check(PGA_ENTRY_SYMBOL, "pga_plugin_v1")    \
  check(PGA_NOTE_SECTION, ".note.pganalytics") \
  check(PGA_NOTE_NAME, "pga")

/* The entry function. */
PGA_FROZEN(PGA_FROZEN_VALUE_IS(&pga_plugin_v1, const pga_plugin *(*)(uint32_t)), "the entry function has another type");

#endif /* PGANALYTICS_ABI_1_0_FROZEN_H */
