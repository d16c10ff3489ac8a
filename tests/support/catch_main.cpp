// Catch2 2.13 wants its main() from one source file; Catch2 3 brings a library for it.
#define CATCH_CONFIG_MAIN
#include "tests/support/catch.h"
