/* The layout of ABI 1.0 on 64-bit machines, in numbers: compiled as C11 and as C++11, so that no compiler, flag or edit moves a
 * member without a build error. Lines are only ever appended: a 1.x struct may grow at its end, hence "at least" its size. */
#ifndef PGANALYTICS_TESTS_ABI_LAYOUT_H
#define PGANALYTICS_TESTS_ABI_LAYOUT_H

#include <pganalytics/plugin.h>

#ifdef __cplusplus
#define ABI_ASSERT(condition, text) static_assert(condition, text)
#else
#define ABI_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define SIZE(type, bytes) ABI_ASSERT(sizeof(type) >= (bytes), #type " has shrunk")
#define FROZEN_SIZE(type, bytes) ABI_ASSERT(sizeof(type) == (bytes), #type " has no struct_size and cannot change")
#define MEMBER(type, member, offset, bytes)                                   \
  ABI_ASSERT(offsetof(type, member) == (offset), #type "." #member " moved"); \
  ABI_ASSERT(sizeof(((type*)0)->member) == (bytes), #type "." #member " has another size")
#define CONSTANT(name, value) ABI_ASSERT((name) == (value), #name " has another value")

FROZEN_SIZE(pga_str, 16);
MEMBER(pga_str, data, 0, 8);
MEMBER(pga_str, len, 8, 8);

SIZE(pga_error, 520);
MEMBER(pga_error, struct_size, 0, 4);
MEMBER(pga_error, retry_after_ms, 4, 4);
MEMBER(pga_error, code, 8, 32);
MEMBER(pga_error, message, 40, 480);

SIZE(pga_host, 88);
MEMBER(pga_host, struct_size, 0, 4);
MEMBER(pga_host, abi_minor, 4, 4);
MEMBER(pga_host, ctx, 8, 8);
MEMBER(pga_host, product, 16, 8);
MEMBER(pga_host, version, 24, 8);
MEMBER(pga_host, log, 32, 8);
MEMBER(pga_host, log_level, 40, 8);
MEMBER(pga_host, state_get, 48, 8);
MEMBER(pga_host, state_set, 56, 8);
MEMBER(pga_host, secret_get, 64, 8);
MEMBER(pga_host, info_get, 72, 8);
MEMBER(pga_host, get_extension, 80, 8);

SIZE(pga_run, 72);
MEMBER(pga_run, struct_size, 0, 4);
MEMBER(pga_run, reason, 4, 4);
MEMBER(pga_run, ctx, 8, 8);
MEMBER(pga_run, sequence, 16, 8);
MEMBER(pga_run, scheduled_unix_ns, 24, 8);
MEMBER(pga_run, previous_unix_ns, 32, 8);
MEMBER(pga_run, deadline_mono_ns, 40, 8);
MEMBER(pga_run, cancel_fd, 48, 4);
MEMBER(pga_run, max_document_bytes, 52, 4);
MEMBER(pga_run, cancelled, 56, 8);
MEMBER(pga_run, emit, 64, 8);

SIZE(pga_descriptor, 96);
MEMBER(pga_descriptor, struct_size, 0, 4);
MEMBER(pga_descriptor, min_host_minor, 4, 4);
MEMBER(pga_descriptor, id, 8, 8);
MEMBER(pga_descriptor, aliases, 16, 8);
MEMBER(pga_descriptor, version, 24, 8);
MEMBER(pga_descriptor, vendor, 32, 8);
MEMBER(pga_descriptor, description, 40, 8);
MEMBER(pga_descriptor, license, 48, 8);
MEMBER(pga_descriptor, url, 56, 8);
MEMBER(pga_descriptor, config_schema, 64, 8);
MEMBER(pga_descriptor, output_schema, 72, 8);
MEMBER(pga_descriptor, needs, 80, 4);
MEMBER(pga_descriptor, flags, 84, 4);
MEMBER(pga_descriptor, default_interval_ms, 88, 4);
MEMBER(pga_descriptor, default_timeout_ms, 92, 4);

SIZE(pga_plugin, 64);
MEMBER(pga_plugin, struct_size, 0, 4);
MEMBER(pga_plugin, abi_minor, 4, 4);
MEMBER(pga_plugin, descriptor, 8, 8);
MEMBER(pga_plugin, create, 16, 8);
MEMBER(pga_plugin, configure, 24, 8);
MEMBER(pga_plugin, collect, 32, 8);
MEMBER(pga_plugin, cancel, 40, 8);
MEMBER(pga_plugin, destroy, 48, 8);
MEMBER(pga_plugin, get_extension, 56, 8);

FROZEN_SIZE(pga_note, 60);
MEMBER(pga_note, namesz, 0, 4);
MEMBER(pga_note, descsz, 4, 4);
MEMBER(pga_note, type, 8, 4);
MEMBER(pga_note, name, 12, 4);
MEMBER(pga_note, abi_major, 16, 4);
MEMBER(pga_note, abi_minor, 20, 4);
MEMBER(pga_note, id, 24, 36);

CONSTANT(PGA_ABI_MAJOR, 1u);
CONSTANT(PGA_OK, 0);
CONSTANT(PGA_E_FAIL, (-1));
CONSTANT(PGA_E_CONFIG, (-2));
CONSTANT(PGA_E_TRANSIENT, (-3));
CONSTANT(PGA_E_DEADLINE, (-4));
CONSTANT(PGA_E_DENIED, (-5));
CONSTANT(PGA_E_UNSUPPORTED, (-6));
CONSTANT(PGA_E_TOOSMALL, (-7));
CONSTANT(PGA_E_NOTFOUND, (-8));
CONSTANT(PGA_E_LIMIT, (-9));
CONSTANT(PGA_E_FATAL, (-10));
CONSTANT(PGA_LOG_ERROR, 1u);
CONSTANT(PGA_LOG_WARN, 2u);
CONSTANT(PGA_LOG_INFO, 3u);
CONSTANT(PGA_LOG_DEBUG, 4u);
CONSTANT(PGA_REASON_SCHEDULE, 0u);
CONSTANT(PGA_REASON_ONDEMAND, 1u);
CONSTANT(PGA_REASON_FINAL, 2u);
CONSTANT(PGA_NEED_PG, (1u << 0));
CONSTANT(PGA_NEED_NET, (1u << 1));
CONSTANT(PGA_NEED_READ_FS, (1u << 2));
CONSTANT(PGA_NEED_PROC, (1u << 3));
CONSTANT(PGA_NEED_EXEC, (1u << 4));
CONSTANT(PGA_F_SINGLETON, (1u << 0));
CONSTANT(PGA_F_AFFINE, (1u << 1));
CONSTANT(PGA_NOTE_TYPE, 1u);

#endif
