/* fault_greed: takes more than its share of the machine. Each stops by itself somewhere, so that a host that fails does not take
 * the machine with it. */
#include "kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { kMiB = 1 << 20, kGreedMiB = 1024, kProcesses = 200, kThreads = 10000, kDescriptors = 10000 };

/* It holds on to what it has. The host looks every two seconds, and twice: if that is long over, it did not see. */
static pga_status hold(const pga_run* run, const char* what) {
  sleep(7);
  return escaped(run, what);
}

static pga_status leak(const pga_run* run, pga_error* error) {
  char what[64];
  for (int have = 0; have < kGreedMiB; ++have) {
    char* piece = malloc(kMiB);
    snprintf(what, sizeof what, "take more memory than %d MiB", have);
    if (piece == NULL) return stopped(error, what);
    memset(piece, 0xA5, kMiB);
  }
  return hold(run, "1 GiB of heap");
}

/* Memory that RLIMIT_DATA does not count. */
static pga_status share_memory(const pga_run* run, pga_error* error) {
  for (int have = 0; have < kGreedMiB; ++have) {
    void* piece = mmap(NULL, kMiB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) return stopped(error, "map more shared memory");
    memset(piece, 0xA5, kMiB);
  }
  return hold(run, "1 GiB of shared memory");
}

/* Memory that no mapping shows. */
static pga_status fill_memfd(const pga_run* run, pga_error* error) {
  static char block[kMiB];
  const int fd = memfd_create("fault", MFD_CLOEXEC);
  if (fd < 0) return stopped(error, "make a file in memory");
  signal(SIGXFSZ, SIG_IGN);
  memset(block, 0xA5, sizeof block);
  for (int have = 0; have < kGreedMiB; ++have) {
    if (write(fd, block, sizeof block) != (ssize_t)sizeof block) return stopped(error, "write to a file in memory");
  }
  return hold(run, "1 GiB in a memfd");
}

/* The stack and what is on it are the caller's; nothing of the process is kept but its life. */
static pga_status fork_bomb(const pga_run* run, pga_error* error) {
  for (int made = 0; made < kProcesses; ++made) {
    const pid_t child = fork();
    if (child < 0) return stopped(error, "start a process");
    if (child == 0) {
      for (;;) pause();
    }
  }
  return hold(run, "200 processes");
}

/* A daemon: in a session of its own, child of nobody. */
static pga_status daemonise(const pga_run* run, pga_error* error) {
  const pid_t child = fork();
  if (child < 0) return stopped(error, "start a process");
  if (child > 0) return escaped(run, "a process of its own");
  setsid();
  if (fork() != 0) _exit(0);
  for (;;) pause();
}

static void* idle(void* nothing) {
  for (;;) pause();
  return nothing;
}

static pga_status start_threads(const pga_run* run, pga_error* error) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16384);
  char what[64];
  for (int made = 0; made < kThreads; ++made) {
    pthread_t thread;
    snprintf(what, sizeof what, "start more threads than %d", made);
    errno = pthread_create(&thread, &small, idle, NULL);
    if (errno != 0) return stopped(error, what);
  }
  return hold(run, "10000 threads");
}

static pga_status open_files(const pga_run* run, pga_error* error) {
  char what[64];
  for (int made = 0; made < kDescriptors; ++made) {
    snprintf(what, sizeof what, "have more descriptors than %d", made);
    if (dup(STDERR_FILENO) < 0) return stopped(error, what);
  }
  return escaped(run, "10000 descriptors");
}

static pga_status open_sockets(const pga_run* run, pga_error* error) {
  for (int made = 0; made < kDescriptors; ++made) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return stopped(error, "open another socket");
  }
  return escaped(run, "20000 sockets");
}

/* Descriptors on their way through a socket are nobody's, so no limit of open files counts them. */
static pga_status queue_descriptors(const pga_run* run, pga_error* error) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * 200)];
  } control;
  char byte = 0;
  struct iovec data = {&byte, 1};
  int made = 0;
  for (int pairs = 0; pairs < 100; ++pairs) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) != 0) return stopped(error, "open another socket");
    for (;;) {
      memset(&control, 0, sizeof control);
      struct msghdr message = {
          .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
      struct cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int) * 200);
      int* fds = (int*)CMSG_DATA(header);
      for (int i = 0; i < 200; ++i) fds[i] = STDERR_FILENO;
      if (sendmsg(pair[0], &message, 0) < 0) {
        if (errno == EAGAIN) break;
        return stopped(error, "put more descriptors in flight");
      }
      made += 200;
      if (made >= kDescriptors) return escaped(run, "10000 descriptors in flight");
    }
  }
  return escaped(run, "descriptors in flight, and 100 sockets");
}

static const struct {
  int resource;
  const char* name;
} kRaised[] = {{RLIMIT_NOFILE, "NOFILE"},
               {RLIMIT_DATA, "DATA"},
               {RLIMIT_FSIZE, "FSIZE"},
               {RLIMIT_CORE, "CORE"},
               {RLIMIT_MEMLOCK, "MEMLOCK"}};

/* Each that it is under; one that was never lowered cannot be raised. */
static pga_status raise_limits(const pga_run* run, pga_error* error) {
  int tried = 0;
  for (size_t i = 0; i < sizeof kRaised / sizeof *kRaised; ++i) {
    struct rlimit limit;
    getrlimit(kRaised[i].resource, &limit);
    if (limit.rlim_max == RLIM_INFINITY) continue;
    limit.rlim_cur = limit.rlim_max = kRaised[i].resource == RLIMIT_NOFILE ? limit.rlim_max + 1 : RLIM_INFINITY;
    ++tried;
    if (setrlimit(kRaised[i].resource, &limit) == 0) return escaped(run, kRaised[i].name);
  }
  if (tried == 0) return escaped(run, "there are no limits to raise");
  return stopped(error, "raise a limit");
}

/* Before everybody else's turn. */
static pga_status real_time(const pga_run* run, pga_error* error) {
  const struct sched_param first = {.sched_priority = 99};
  if (sched_setscheduler(0, SCHED_FIFO, &first) == 0) return escaped(run, "real-time priority");
  if (setpriority(PRIO_PROCESS, 0, -20) == 0) return escaped(run, "nice -20");
  return stopped(error, "run before the others");
}

static pga_status lock_memory(const pga_run* run, pga_error* error) {
  enum { kBytes = 64 * kMiB };
  void* piece = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (piece == MAP_FAILED) return stopped(error, "map memory");
  /* not mlock(): a sanitizer makes that do nothing and succeed */
  if (syscall(SYS_mlock, piece, kBytes) == 0) return escaped(run, "64 MiB locked in memory");
  errno = errno == ENOMEM ? EPERM : errno; /* the limit's name for no */
  return stopped(error, "lock memory");
}

static const named_misdeed kMisdeeds[] = {{"leak", leak},
                                          {"share_memory", share_memory},
                                          {"fill_memfd", fill_memfd},
                                          {"fork_bomb", fork_bomb},
                                          {"daemonise", daemonise},
                                          {"threads", start_threads},
                                          {"descriptors", open_files},
                                          {"sockets", open_sockets},
                                          {"queue_descriptors", queue_descriptors},
                                          {"raise_limits", raise_limits},
                                          {"real_time", real_time},
                                          {"lock_memory", lock_memory},
                                          {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
