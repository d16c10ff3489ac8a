/* Passes every check, warnings included; with other link options (CMakeLists.txt) it is a file that a linker made wrong. */
#include "kit.h"

#if defined(UNRESOLVED) || defined(PRIVATE_LIBRARY)
extern int private_library(void); /* of bad_private_library, if it is linked */
__attribute__((used)) static int (*const kWanted)(void) = private_library;
#endif
#if defined(EXPORTS)
PGA_EXPORT int helper_of_the_plugin(void);
PGA_EXPORT int helper_of_the_plugin(void) { return 1; }
#endif
#if defined(UNIQUE)
__asm__(
    ".data\n.globl shared_by_all\n.type shared_by_all, @gnu_unique_object\n.size shared_by_all, 4\nshared_by_all: .long "
    "0\n.text");
#endif
#if defined(TEXT_RELOCATION)
__asm__(".text\n.globl nowhere\n.hidden nowhere\nnowhere: .quad nowhere");
#endif

TABLES(good_create, good_configure, good_collect, NULL, good_destroy, NULL)
