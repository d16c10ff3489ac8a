/* A preloaded library in which time flies: the monotonic clocks run FAULT_HURRY times as fast, and every wait is as much shorter,
 * so that a backoff of an hour can be watched in seconds. The wall clock stays as it is. For the collector; its workers do not
 * inherit it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static const int64_t kNsPerSecond = 1000000000;

static int (*real_clock_gettime)(clockid_t, struct timespec*);
static int (*real_clockwait)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*);
static int (*real_epoll_wait)(int, struct epoll_event*, int, int);
static int (*real_poll)(struct pollfd*, nfds_t, int);
static int (*real_nanosleep)(const struct timespec*, struct timespec*);
static int64_t g_factor = 1;
static int64_t g_began[16]; /* of each clock, when this library was loaded */

static int flies(clockid_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE;
}

static int64_t ns_of(const struct timespec* time) { return time->tv_sec * kNsPerSecond + time->tv_nsec; }
static struct timespec timespec_of(int64_t ns) { return (struct timespec){ns / kNsPerSecond, ns % kNsPerSecond}; }

__attribute__((constructor)) static void begin(void) {
  *(void**)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  *(void**)&real_clockwait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  *(void**)&real_epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
  *(void**)&real_poll = dlsym(RTLD_NEXT, "poll");
  *(void**)&real_nanosleep = dlsym(RTLD_NEXT, "nanosleep");
  for (clockid_t clock = 0; clock < 16; ++clock) {
    struct timespec now;
    if (flies(clock) && real_clock_gettime(clock, &now) == 0) g_began[clock] = ns_of(&now);
  }
  const char* const factor = getenv("FAULT_HURRY");
  if (factor != NULL && atol(factor) > 0) g_factor = atol(factor);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  if (real_clock_gettime == NULL) begin(); /* a library that was loaded before this one wants to know the time */
  const int done = real_clock_gettime(clock, time);
  if (done == 0 && flies(clock)) *time = timespec_of(g_began[clock] + (ns_of(time) - g_began[clock]) * g_factor);
  return done;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const struct timespec* until) {
  if (!flies(clock)) return real_clockwait(condition, mutex, clock, until);
  const struct timespec sooner = timespec_of(g_began[clock] + (ns_of(until) - g_began[clock]) / g_factor);
  return real_clockwait(condition, mutex, clock, &sooner);
}

static int shorter_ms(int ms) { return ms <= 0 ? ms : (int)((ms + g_factor - 1) / g_factor); }

int epoll_wait(int fd, struct epoll_event* events, int size, int ms) { return real_epoll_wait(fd, events, size, shorter_ms(ms)); }
int poll(struct pollfd* watched, nfds_t size, int ms) { return real_poll(watched, size, shorter_ms(ms)); }

int nanosleep(const struct timespec* wait, struct timespec* left) {
  const struct timespec shorter = timespec_of(ns_of(wait) / g_factor);
  return real_nanosleep(&shorter, left);
}

int usleep(useconds_t microseconds) {
  const struct timespec shorter = timespec_of((int64_t)microseconds * 1000 / g_factor);
  return real_nanosleep(&shorter, NULL);
}
