/* Wrong in its note, its entry, its tables, or in what loading it does. The define says how. */
#include "kit.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUR_NOTE(name, major, minor, id)                                                      \
  __attribute__((section(PGA_NOTE_SECTION), used, aligned(4))) static const pga_note name = { \
      4u, 44u, PGA_NOTE_TYPE, PGA_NOTE_NAME, major, minor, id}

/* E02 */
#if defined(FOREIGN_MAJOR)
OUR_NOTE(kNote, PGA_ABI_MAJOR + 1, 0, ID);
#elif defined(NAMELESS_NOTE)
OUR_NOTE(kNote, PGA_ABI_MAJOR, 0, "Not An Id");
#elif !defined(NOTELESS)
PGA_NOTE(ID);
#endif
#if defined(TWO_NOTES)
OUR_NOTE(kSecond, PGA_ABI_MAJOR, 0, "test_second");
#endif

/* E03, E14, E16: a constructor that does what it should not. */
static inline void* sleep_for_ever(void* nothing) {
  for (;;) pause();
  return nothing;
}
static inline void ignore(int number) { (void)number; }

__attribute__((constructor)) static void when_loaded(void) {
#if defined(CRASHES)
  raise(SIGSEGV);
#elif defined(PRINTS)
  puts("victim is loaded");
#elif defined(SLOW)
  usleep(150000);
#elif defined(OPENS)
  (void)!open("/dev/null", O_RDONLY);
#elif defined(STARTS_THREAD)
  pthread_t thread;
  pthread_create(&thread, NULL, sleep_for_ever, NULL);
#elif defined(TAKES_SIGNAL)
  signal(SIGPIPE, ignore);
#elif defined(SETS_LOCALE)
  setlocale(LC_ALL, "C.UTF-8");
#elif defined(CHANGES_FOLDER)
  (void)!chdir("/usr");
#elif defined(SETS_UMASK)
  umask(0);
#elif defined(SETS_ENVIRONMENT)
  setenv("VICTIM", "was here", 1);
#endif
}

/* E19 */
__attribute__((used)) static const pga_descriptor kDescriptor = {
    sizeof(pga_descriptor),
#if defined(WANTS_MORE) /* E18 */
    PGA_ABI_MINOR + 1,
#else
    0,
#endif
#if defined(LYING_ID)
    "test_another",
#else
    ID,
#endif
#if defined(BAD_ALIAS)
    "good_one, Bad One",
#else
    "",
#endif
#if defined(BAD_VERSION)
    "1.0",
#else
    VERSION,
#endif
#if defined(NO_VENDOR)
    "",
#else
    "test",
#endif
#if defined(LONG_DESCRIPTION)
    "a description that goes on and on, though it has to fit on one line of a list, and on and on and on "
    "until nobody reads it any more",
#elif defined(NO_UTF8)
    "caf\xe9",
#else
    "a plugin for the validator",
#endif
#if defined(NO_LICENSE)
    "see the file COPYING",
#else
    "Apache-2.0",
#endif
#if defined(BAD_URL)
    "victim.example",
#else
    "",
#endif
    CONFIG_SCHEMA,
#if defined(NO_SCHEMA) /* E17 */
    NULL,
#else
    OUTPUT_SCHEMA,
#endif
#if defined(UNKNOWN_NEED)
    1u << 31,
#else
    NEEDS,
#endif
    FLAGS,
    1000,
    1000};

/* E17 */
static const pga_plugin kPlugin = {
#if defined(SHORT_TABLE)
    offsetof(pga_plugin, destroy),
#else
    sizeof(pga_plugin),
#endif
#if defined(MINOR_AHEAD)
    PGA_ABI_MINOR + 1,
#else
    PGA_ABI_MINOR,
#endif
#if defined(NO_DESCRIPTOR)
    NULL,
#else
    &kDescriptor,
#endif
    good_create,
    good_configure,
#if defined(NO_COLLECT)
    NULL,
#else
    good_collect,
#endif
    NULL,
    good_destroy,
    NULL};

#if defined(NO_FUNCTION) /* E04 */
extern const pga_plugin* const pga_plugin_v1_;
PGA_EXPORT const pga_plugin* const pga_plugin_v1_ __asm__("pga_plugin_v1") = &kPlugin;
#elif !defined(NO_ENTRY)
#if defined(WEAK_ENTRY)
__attribute__((weak))
#endif
PGA_EXPORT const pga_plugin*
pga_plugin_v1(uint32_t host_minor) {
#if defined(FEARS_THE_FUTURE) /* E18 */
  if (host_minor > 1000) return NULL;
#elif defined(TRAPS_THE_FUTURE)
  if (host_minor > 1000) abort();
#elif defined(IMPURE) /* E15 */
  static pga_plugin copy;
  static int calls;
  copy = kPlugin;
  if (++calls % 2 == 0) return &copy;
#endif
  (void)host_minor;
  return &kPlugin;
}
#else
__attribute__((used)) static const pga_plugin* const kUnreachable = &kPlugin;
#endif
