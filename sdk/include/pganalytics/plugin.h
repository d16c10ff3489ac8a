/* pganalytics/plugin.h - the collector plugin ABI, major 1.
 *
 * What this is: everything a plugin and its host agree on. A plugin is one shared object that exports ONE function,
 * pga_plugin_v1(), and imports NOTHING from the host: whatever it may use arrives in tables of function pointers.
 * It compiles as C99 and as C++11, for 64-bit little-endian Linux. Nothing here is linked.
 * C++ authors: pganalytics/plugin.hpp is a header-only comfort over this file, with no ABI of its own.
 *
 * A collector's life, as the host calls it:
 *
 *     pga_plugin_v1 -> create -> configure -> { collect | configure }* -> destroy
 *                                    ^ repeatable, all-or-nothing          ^ always last
 *
 * RULES, EACH WITH ITS REASON
 *
 *  Growth     Every struct that may grow starts with `uint32_t struct_size`, set by its PRODUCER to its own sizeof. Members
 *             are only ever appended. A consumer reads a member only after PGA_HAS() said it is there; an absent member
 *             counts as zero. So a plugin built today meets the host of ten years from now, and the other way round.
 *  Types      Fixed-width integers, pointers, and the structs below. Never enum, bool, long, time_t, bit-fields, va_list,
 *             FILE* or a C++ type: their size or layout depends on the compiler, its flags or the C library.
 *  Strings    UTF-8. `const char *` is NUL-terminated and not NULL unless the comment says so. `pga_str` is borrowed bytes,
 *             not NUL-terminated. A borrow ends when the call it was passed to returns: copy what you keep.
 *  Memory     No pointer ever changes owner at this boundary, so nobody calls the other's free(). Results are written into
 *             buffers of the caller; errors into a pga_error of the caller.
 *  Threads    For one instance the host makes one call at a time, create first and destroy last. The calls may come from
 *             different threads, each sees what the one before wrote. cancel() alone may arrive during another call or
 *             between two, once create() has returned and before destroy() begins. Tags below: [caller] = only on the
 *             thread, and during the call, the host made; [any thread] = always.
 *  Manners    A plugin does not throw or longjmp across a call, exit, fork, dlclose itself, or change what belongs to the process:
 *             signal handlers, locale, umask, working directory, environment, standard streams. Threads it starts, it
 *             joins in destroy(). It runs in a worker process of its own, yet "thread" isolation must stay possible.
 *  Time       Deadlines are CLOCK_MONOTONIC nanoseconds, because wall clocks jump. Timestamps are Unix nanoseconds.
 *
 * WHAT MAY CHANGE IN 1.x (never more; anything else is major 2, a new entry symbol beside this one)
 *
 *     change                                            how an older peer lives with it
 *     a new last member in pga_host, pga_run,           PGA_HAS() says no; it counts as zero. Its alignment is at most the
 *       pga_error, pga_descriptor or pga_plugin           struct's own: 4 in pga_error, 8 in the others
 *     a new status code                                 unknown = PGA_E_FAIL
 *     a new PGA_REASON_                                 unknown = PGA_REASON_SCHEDULE
 *     a new PGA_LOG_ level                              the nearest known one
 *     a new PGA_F_ flag                                 ignored; hence a flag never changes safety
 *     a new PGA_NEED_ bit                               unknown need = the host refuses the plugin
 *     a new info, state or secret name; an extension id PGA_E_NOTFOUND; NULL
 *     a new keyword or format of the schema dialect     unknown = the host refuses the schema, because a keyword that is
 *                                                         ignored is a promise not kept: set min_host_minor
 *     a limit is relaxed                                nothing to do (tightening one is major 2)
 *
 *     A member, a constant or a keyword raises PGA_ABI_MINOR. A plugin that cannot do without it says so by min_host_minor.
 *
 *     Frozen: the entry symbol; layout, type, meaning and nullability of each member below; the values and types of the
 *     constants; array sizes; call order and threads; the note's layout; what the schema dialect's keywords mean; that an
 *     unknown extension id yields NULL. No minor obliges a plugin to more, weakens what a host promises, or needs a
 *     newer compiler than the one before. The policy in words: docs/plugin/compatibility.md.
 */
#ifndef PGANALYTICS_PLUGIN_H
#define PGANALYTICS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The major is part of the entry symbol's name, so the two can never be mixed up. The minor rises by one each time a
 * struct below gains a member or a constant is added. */
#define PGA_ABI_MAJOR 1u
#define PGA_ABI_MINOR 0u

/* True if the struct at `p` of type `T`, as its producer compiled it, has member `m` in full. */
#define PGA_HAS(T, p, m) ((size_t)(p)->struct_size >= offsetof(T, m) + sizeof(((T *)0)->m))

/* Borrowed bytes. `data` may be NULL only where a comment gives that a meaning. Frozen: never grows, has no struct_size. */
typedef struct pga_str {
  const char *data;
  size_t len; /* bytes */
} pga_str;

/* ------------------------------------------------------------------------------------------------------------------
 * Status. Zero is success, negative is an error; each tells the host what to do next.
 * ------------------------------------------------------------------------------------------------------------------ */
typedef int32_t pga_status;
#define PGA_OK 0
#define PGA_E_FAIL (-1)        /* Unclassified. The host backs off and tries again. */
#define PGA_E_CONFIG (-2)      /* The configuration is wrong: no retry until it changes. */
#define PGA_E_TRANSIENT (-3)   /* The target cannot be reached now: retry on schedule, not held against the plugin. */
#define PGA_E_DEADLINE (-4)    /* Gave up because of the deadline or a cancel. */
#define PGA_E_DENIED (-5)      /* A privilege is missing on the target, or the sandbox refused. */
#define PGA_E_UNSUPPORTED (-6) /* This target or host cannot do it: do not retry until either changes. */
#define PGA_E_TOOSMALL (-7)    /* The caller's buffer is too small; *len holds the size needed. */
#define PGA_E_NOTFOUND (-8)    /* No such key. */
#define PGA_E_LIMIT (-9)       /* A limit of the host is reached: document size, state quota. */
#define PGA_E_FATAL (-10)      /* The instance is unusable: the host destroys it and creates another. */

/* Why a call failed. The caller zeroes it and sets struct_size; the callee may fill it. Fixed arrays instead of a heap
 * string: there is nothing to release, and no pointer into a plugin outlives a call. */
typedef struct pga_error {
  uint32_t struct_size;
  uint32_t retry_after_ms; /* when a retry makes sense; 0 = the host decides */
  char code[32];           /* stable token for machines: "pg.connect", a SQLSTATE; NUL-terminated, may be empty */
  char message[480];       /* for people: what was tried, on what, why it failed; never a secret; NUL-terminated */
} pga_error;

/* ------------------------------------------------------------------------------------------------------------------
 * Host services. The table is valid from create() until destroy() returns; it may lie in read-only memory.
 * ------------------------------------------------------------------------------------------------------------------ */
#define PGA_LOG_ERROR 1u
#define PGA_LOG_WARN 2u
#define PGA_LOG_INFO 3u
#define PGA_LOG_DEBUG 4u

typedef struct pga_host pga_host;
struct pga_host {
  uint32_t struct_size;
  uint32_t abi_minor;  /* the host's */
  void *ctx;           /* the host's own; a plugin does not touch it */
  const char *product; /* "pganalytics" or a test host's name; for messages, never to tell features apart */
  const char *version; /* the host's version; likewise */

  /* [any thread] One line for the host's log. Rate-limited; control bytes are escaped by the host. Never a secret. */
  void (*log)(const pga_host *host, uint32_t level, pga_str message);

  /* [any thread] The highest level that would be kept: spares formatting what nobody reads. */
  uint32_t (*log_level)(const pga_host *host);

  /* [caller: create, configure, collect] Durable key/value of this instance. key: [a-z0-9_.-]{1,64}; value: at most 64 KiB,
   * any bytes; 1 MiB in all.
   *
   * state_set() inside collect() is STAGED: it becomes durable in the same transaction as the documents of that run and
   * is dropped if the run fails, so a cursor never runs ahead of its data nor lags behind it. state_get() sees what this run
   * staged. state_set() outside collect() is PGA_E_UNSUPPORTED. value.data == NULL deletes the key.
   *
   * state_get(): *len is the room in buf on entry and the value's size on return; buf may be NULL if *len is 0, to ask for the
   * size. PGA_E_TOOSMALL, PGA_E_NOTFOUND. */
  pga_status (*state_get)(const pga_host *host, const char *key, char *buf, size_t *len);
  pga_status (*state_set)(const pga_host *host, const char *key, pga_str value);

  /* [caller: create, configure, collect] A secret named in this instance's configuration as {"$secret": "name"}; buf and
   * len as in state_get(). Only names that the configuration mentions are given. Wipe buf after use. */
  pga_status (*secret_get)(const pga_host *host, const char *name, char *buf, size_t *len);

  /* [caller: create, configure, collect] Facts as JSON scalars, buf and len as in state_get(). Known keys: "host.name",
   * "collector.id", "collector.name", "product.version", "plugin.instance" (what tells this instance from others of the same
   * plugin, "" for the unnamed one). More may come: an unknown key is PGA_E_NOTFOUND. */
  pga_status (*info_get)(const pga_host *host, const char *key, char *buf, size_t *len);

  /* [any thread] An optional table by id, "vendor.name/revision"; NULL if this host has none. Lives as long as the host
   * table. This is how the ABI grows behaviour without every plugin paying for it. */
  const void *(*get_extension)(const pga_host *host, const char *id);
  /* 1.0 ends here. */
};

/* ------------------------------------------------------------------------------------------------------------------
 * One collection run. Valid during the collect() it was passed to.
 * ------------------------------------------------------------------------------------------------------------------ */
#define PGA_REASON_SCHEDULE 0u /* its interval came round */
#define PGA_REASON_ONDEMAND 1u /* somebody asked: same work, and staged state is dropped unless they said otherwise */
#define PGA_REASON_FINAL 2u    /* shutting down: emit what is buffered; the deadline is short */

typedef struct pga_run pga_run;
struct pga_run {
  uint32_t struct_size;
  uint32_t reason;            /* PGA_REASON_ */
  void *ctx;                  /* the host's own */
  uint64_t sequence;          /* 1 for the first run of this instance in this process, then one more each time */
  int64_t scheduled_unix_ns;  /* nominal time of the run: what a document without a better clock calls "timestamp" */
  int64_t previous_unix_ns;   /* nominal time of the last committed run; 0 = none is known */
  int64_t deadline_mono_ns;   /* CLOCK_MONOTONIC. At this time the host cancels, soon after it kills the worker */
  int32_t cancel_fd;          /* becomes and stays readable on cancel: poll() it beside your socket. Do not read, close
                                 or keep it. -1 = the host has none: ask cancelled() */
  uint32_t max_document_bytes; /* emit() refuses more with PGA_E_LIMIT */

  /* [any thread] Non-zero once the run is cancelled. */
  uint32_t (*cancelled)(const pga_run *run);

  /* [caller] Hand over one document: one complete JSON object, UTF-8, valid against output_schema. The host has copied it
   * when this returns. May block while the host is busy (back-pressure). PGA_E_LIMIT: too large or too many;
   * PGA_E_DEADLINE: cancelled; PGA_E_FAIL: not a JSON object. After an error return from collect() promptly. */
  pga_status (*emit)(const pga_run *run, pga_str json_object);
  /* 1.0 ends here. */
};

/* ------------------------------------------------------------------------------------------------------------------
 * What a plugin provides: constant data, readable as soon as the entry function has returned.
 * ------------------------------------------------------------------------------------------------------------------ */

/* What the plugin touches. The sandbox is derived from it, so a need not declared is a refusal at run time.
 * A bit that the host does not know makes it refuse the plugin: safety never degrades silently. */
#define PGA_NEED_PG (1u << 0)      /* opens PostgreSQL connections */
#define PGA_NEED_NET (1u << 1)     /* opens other sockets */
#define PGA_NEED_READ_FS (1u << 2) /* reads the paths its configuration names ("format": "path-read") */
#define PGA_NEED_PROC (1u << 3)    /* reads /proc and /sys */
#define PGA_NEED_EXEC (1u << 4)    /* runs programs; refused unless the operator allows it */

#define PGA_F_SINGLETON (1u << 0) /* at most one instance in a process */
#define PGA_F_AFFINE (1u << 1)    /* all calls of an instance on one thread, cancel() excepted */

typedef struct pga_descriptor {
  uint32_t struct_size;
  uint32_t min_host_minor;   /* an older host refuses the plugin with a clear message */
  const char *id;            /* [a-z][a-z0-9_]{1,31}, never changes; third parties prefix their vendor: "acme_redis" */
  const char *aliases;       /* other names accepted in configuration, comma separated; "" = none */
  const char *version;       /* of the plugin, SemVer 2 */
  const char *vendor;        /* who answers for it */
  const char *description;   /* one line, at most 120 characters */
  const char *license;       /* SPDX expression */
  const char *url;           /* home page or repository; may be "" */
  const char *config_schema; /* JSON Schema of the instance's configuration, in the dialect of docs/PLUGIN_GUIDE.md */
  const char *output_schema; /* JSON Schema of a document, same dialect, with x-kind, x-unit and x-family */
  uint32_t needs;            /* PGA_NEED_ */
  uint32_t flags;            /* PGA_F_ */
  uint32_t default_interval_ms;
  uint32_t default_timeout_ms;
  /* 1.0 ends here. */
} pga_descriptor;

typedef struct pga_plugin {
  uint32_t struct_size;
  uint32_t abi_minor; /* PGA_ABI_MINOR as the plugin was compiled */
  const pga_descriptor *descriptor;

  /* Make an instance. Cheap: no I/O. *self is passed back untouched in every later call; on error *self is ignored and
   * destroy() is not called. `instance` is the name in the operator's configuration, "pg_stats" or "pg_stats@prod2", borrowed
   * for the call. */
  pga_status (*create)(const pga_host *host, const char *instance, void **self, pga_error *error);

  /* Take a configuration: a JSON object already valid against config_schema, defaults filled in. May come again at any
   * time between runs. All-or-nothing: on error the previous configuration stays in force. dry_run != 0: check only, change
   * nothing (connecting to the target is allowed). PGA_E_CONFIG with a message that names the key. */
  pga_status (*configure)(void *self, pga_str json_object, uint32_t dry_run, pga_error *error);

  /* One run: gather, emit() documents, return before the deadline. On error everything emitted in this run is dropped:
   * a run is atomic. Report a part that is missing inside the document's "errors" and return PGA_OK. */
  pga_status (*collect)(void *self, const pga_run *run, pga_error *error);

  /* [any thread] Wake a collect() that waits elsewhere than on cancel_fd. Non-blocking, idempotent; may come with no run to
   * cancel. May be NULL. */
  void (*cancel)(void *self);

  /* Release everything, join own threads. Not called after a failed create(). */
  void (*destroy)(void *self);

  /* [caller] An optional table of the plugin by id, as in the host's; lives until destroy(). NULL = none. The pointer itself may
   * be NULL. */
  const void *(*get_extension)(void *self, const char *id);
  /* 1.0 ends here. */
} pga_plugin;

/* ------------------------------------------------------------------------------------------------------------------
 * The one exported symbol. Pure: the same pointer every time, no I/O, no threads, no allocation; the host may call it from any
 * thread and any number of times. `host_minor` lets a newer plugin hide what an older host cannot use. NULL = this
 * plugin refuses this host. The library is never dlclose()d, so what it returns lives as long as the process.
 * ------------------------------------------------------------------------------------------------------------------ */
#define PGA_ENTRY_SYMBOL "pga_plugin_v1"
#define PGA_EXPORT __attribute__((visibility("default")))

PGA_EXPORT const pga_plugin *pga_plugin_v1(uint32_t host_minor);

/* ------------------------------------------------------------------------------------------------------------------
 * The ELF note: ABI version and id, readable WITHOUT running any code of the plugin. Put PGA_NOTE("your_id"); once at file
 * scope. A shared object without it is not a plugin. Layout as in elf(5): name "pga", type 1, padded to 4 bytes.
 * ------------------------------------------------------------------------------------------------------------------ */
#define PGA_NOTE_SECTION ".note.pganalytics"
#define PGA_NOTE_NAME "pga"
#define PGA_NOTE_TYPE 1u

typedef struct pga_note {
  uint32_t namesz; /* 4: "pga" and its NUL */
  uint32_t descsz; /* 44: what follows `name` */
  uint32_t type;   /* PGA_NOTE_TYPE */
  char name[4];
  uint32_t abi_major;
  uint32_t abi_minor;
  char id[36]; /* NUL-terminated, equal to the descriptor's; at most 32 characters */
} pga_note;

#define PGA_NOTE(id_)                                                                                                    \
  __attribute__((section(PGA_NOTE_SECTION), used, aligned(4))) static const pga_note pga_note_ = {                       \
      4u, 44u, PGA_NOTE_TYPE, PGA_NOTE_NAME, PGA_ABI_MAJOR, PGA_ABI_MINOR, id_}

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif /* PGANALYTICS_PLUGIN_H */
