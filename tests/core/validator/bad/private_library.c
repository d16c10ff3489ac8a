/* What W13_private_library.so is linked to. */
int private_library(void);
__attribute__((visibility("default"))) int private_library(void) { return 1; }
