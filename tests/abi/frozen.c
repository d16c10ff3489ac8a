/* The promises of ABI 1.0, kept by the header that this is compiled with, as C11 or as C++11. Layout, types and numbers are
 * checked by the compiler; here is what only a running program can see: texts, the note's bytes, where PGA_HAS() says yes. */
#include "sdk/abi/1.0/frozen.h"

#include <stdio.h>
#include <string.h>

PGA_NOTE("abi_frozen");

static int failures = 0;
static void check(int good, const char* what) {
  if (!good) {
    ++failures;
    fprintf(stderr, "%s\n", what);
  }
}

#define CHECK_TEXT(actual, frozen) check(strcmp(actual, frozen) == 0, #actual " has another value");

static void check_note(void) {
  /* As elf(5) lays it out, little-endian: sizes of name and description, type, name, description. */
  static const unsigned char kFrozen[24] = {4, 0, 0, 0, 44, 0, 0, 0, 1, 0, 0, 0, 'p', 'g', 'a', 0, 1, 0, 0, 0};
  pga_note note;
  memcpy(&note, &pga_note_, sizeof note);
  check(note.abi_minor == PGA_ABI_MINOR, "the note has another minor than the header");
  note.abi_minor = 0;
  check(memcmp(&note, kFrozen, 24) == 0, "the note's bytes have changed");
  check(strcmp(note.id, "abi_frozen") == 0, "the note has another id");
}

/* A member is there once all its bytes are. */
static void check_has(void) {
  pga_run run;
  memset(&run, 0, sizeof run);
  run.struct_size = 52;
  check(PGA_HAS(pga_run, &run, cancel_fd) && !PGA_HAS(pga_run, &run, max_document_bytes), "PGA_HAS() is wrong about a member");
  run.struct_size = 55;
  check(!PGA_HAS(pga_run, &run, max_document_bytes), "PGA_HAS() takes a part of a member for the whole");
  run.struct_size = 72;
  check(PGA_HAS(pga_run, &run, emit), "PGA_HAS() does not see the last member");
}

int main(void) {
  PGA_FROZEN_TEXTS(CHECK_TEXT)
  check_note();
  check_has();
  return failures;
}
