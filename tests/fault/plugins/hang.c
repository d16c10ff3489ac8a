/* fault_hang: does not come back. */
#include "kit.h"

#include <sys/prctl.h>

static pga_status endless_loop(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  for (volatile unsigned count = 0;;) ++count;
}

static pga_status sleep_forever(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  for (;;) pause();
}

/* Nothing but SIGKILL helps. */
static pga_status block_signals(const pga_run* run, pga_error* error) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  return endless_loop(run, error);
}

static pga_status ignore_signals(const pga_run* run, pga_error* error) {
  for (int number = 1; number < 32; ++number) signal(number, SIG_IGN);
  return sleep_forever(run, error);
}

/* Every thread stops, also the one that would answer "are you there". */
static pga_status stop_itself(const pga_run* run, pga_error* error) {
  raise(SIGSTOP);
  return sleep_forever(run, error);
}

/* Under another name, in another session: still the worker that was started. */
static pga_status rename_itself(const pga_run* run, pga_error* error) {
  memset(program_invocation_name, 'x', strlen(program_invocation_name));
  prctl(PR_SET_NAME, "systemd");
  setsid();
  setpgid(0, 0);
  return sleep_forever(run, error);
}

static const named_misdeed kMisdeeds[] = {{"loop", endless_loop},
                                          {"sleep", sleep_forever},
                                          {"block_signals", block_signals},
                                          {"ignore_signals", ignore_signals},
                                          {"stop", stop_itself},
                                          {"rename", rename_itself},
                                          {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
