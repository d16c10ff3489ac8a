/* fault_crash: ends its process, one way or another. */
#include "kit.h"

#include <sys/mman.h>

static pga_status segv(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  *(volatile int*)8 = 1;
  return PGA_OK;
}

static pga_status abort_it(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  abort();
}

static pga_status leave(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  exit(0); /* as if all were well */
}

static pga_status leave_at_once(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  _exit(0);
}

/* The compiler must not make a loop of it. */
static int __attribute__((noinline)) deeper(volatile int* above) {
  volatile int here[1024];
  here[0] = *above + 1;
  return deeper(here) + here[0];
}

static pga_status overflow_stack(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  volatile int first = 0;
  return deeper(&first);
}

/* The heap it shares with the worker. */
static pga_status corrupt_heap(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  char* volatile block = malloc(24);
  free(block);
  free(block);
  return PGA_OK;
}

/* Everything around the run's table: the worker's own memory. */
static pga_status unmap(const pga_run* run, pga_error* error) {
  (void)error;
  const uintptr_t page = (uintptr_t)run & ~(uintptr_t)0xFFF;
  munmap((void*)page, 0x1000);
  munmap((void*)((uintptr_t)g_host & ~(uintptr_t)0xFFF), 0x1000);
  return run->cancelled(run) != 0 ? PGA_OK : PGA_E_FAIL;
}

/* The tables it was given as const, and then through them. */
static pga_status scribble(const pga_run* run, pga_error* error) {
  (void)error;
  memset((void*)(uintptr_t)run, 0xA5, sizeof *run);
  memset((void*)(uintptr_t)g_host, 0xA5, sizeof *g_host);
  const pga_str line = {"a line", 6};
  g_host->log(g_host, PGA_LOG_INFO, line);
  return run->emit(run, line);
}

/* The tables again, but only what a careless plugin would hit, and never used afterwards. */
static pga_status scribble_and_return(const pga_run* run, pga_error* error) {
  (void)error;
  const pga_status emitted = emit_document(run, "");
  ((pga_run*)(uintptr_t)run)->ctx = NULL;
  ((pga_host*)(uintptr_t)g_host)->ctx = NULL;
  ((pga_host*)(uintptr_t)g_host)->log = NULL;
  return emitted;
}

static pga_status jump_into_data(const pga_run* run, pga_error* error) {
  (void)error;
  pga_status (*code)(const pga_run*);
  const char* data = g_target;
  memcpy(&code, &data, sizeof code);
  return code(run);
}

static pga_status raise_sigkill(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  raise(SIGKILL);
  return PGA_OK;
}

static const named_misdeed kMisdeeds[] = {{"segv", segv},
                                          {"abort", abort_it},
                                          {"exit", leave},
                                          {"_exit", leave_at_once},
                                          {"stack_overflow", overflow_stack},
                                          {"corrupt_heap", corrupt_heap},
                                          {"munmap", unmap},
                                          {"scribble", scribble},
                                          {"scribble_and_return", scribble_and_return},
                                          {"jump_into_data", jump_into_data},
                                          {"sigkill", raise_sigkill},
                                          {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
