#!/bin/sh
# next_minor.sh HEADER: prints the header of the minor after HEADER's, as the table in it allows: a new last member in each struct that may grow,
# a new constant of each kind, PGA_ABI_MINOR one higher.
set -eu
awk '
  function constant(line) { print "#define " line }
  /^#define PGA_ABI_MINOR / { sub(/[0-9]+u/, $3 + 1 "u"); risen = 1 }
  /^struct pga_host \{/ { last = "  pga_status (*trace)(const pga_host *host, pga_str span);" }
  /^struct pga_run \{/ { last = "  pga_status (*emit_many)(const pga_run *run, const pga_str *documents, size_t count);" }
  /^typedef struct pga_error \{/ { last = "  uint32_t category;\n  uint32_t subcategory;" }
  /^typedef struct pga_descriptor \{/ { last = "  const char *icon;" }
  /^typedef struct pga_plugin \{/ { last = "  void (*pause)(void *self);" }
  /^}/ && last != "" { print last; last = ""; ++grown }
  { print }
  /^#define PGA_E_FATAL / { constant("PGA_E_BUSY (-11)"); ++added }
  /^#define PGA_LOG_DEBUG / { constant("PGA_LOG_TRACE 5u"); ++added }
  /^#define PGA_REASON_FINAL / { constant("PGA_REASON_RECOVERY 3u"); ++added }
  /^#define PGA_NEED_EXEC / { constant("PGA_NEED_GPU (1u << 5)"); ++added }
  /^#define PGA_F_AFFINE / { constant("PGA_F_BATCH (1u << 2)"); ++added }
  END { if (!risen || grown != 5 || added != 5) { print "next_minor.sh does not know this header any more" > "/dev/stderr"; exit 1 } }
' "$1"
