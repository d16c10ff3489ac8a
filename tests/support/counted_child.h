// Children of fork() that end with _exit(): in a coverage build what they ran counts, too, although _exit() writes nothing down.
#pragma once

#include <unistd.h>

#ifdef PGANALYTICS_COVERAGE  // set for the tests that have such children;
                             // gcc.gnu.org/onlinedocs/gcc/Freestanding-Environments.html
extern "C" void __gcov_reset();
extern "C" void __gcov_dump();
#endif

namespace pganalytics::testing {

// [the child, first] What its parent ran is the parent's.
inline void begin_counting() {
#ifdef PGANALYTICS_COVERAGE
  __gcov_reset();
#endif
}

// [the child, last]
[[noreturn]] inline void leave(int code) {
#ifdef PGANALYTICS_COVERAGE
  __gcov_dump();
#endif
  ::_exit(code);
}

}  // namespace pganalytics::testing
