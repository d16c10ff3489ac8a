#include "tests/abi/layout.h"

int main(void) { return 0; } /* what is tested has been, by the compiler */
