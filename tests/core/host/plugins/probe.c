/* Tries what its configuration's "do" says, one thing a run, and reports what the system answered: {"count": errno, "text": ...}.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

PGA_NOTE(PLUGIN_ID);
static const pga_descriptor kDescriptor = {
    sizeof(pga_descriptor),  0,      PLUGIN_ID, "", "1.0.0", "test", "tries what it may not", "Apache-2.0", "",
    "{\"type\":\"object\"}", SCHEMA, 0,         0,  1000,    1000};

static char g_text[1024];
static char g_do[64], g_path[512];
static int g_number;

/* The value of a key of a flat object of strings and numbers, which is all the tests send. */
static void read_text(const char* key, char* into, size_t room) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
  const char* found = strstr(g_text, quoted);
  into[0] = '\0';
  if (found == NULL) return;
  found += strlen(quoted);
  const size_t length = strcspn(found, "\"");
  if (length < room) memcpy(into, found, length), into[length] = '\0';
}

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)host, (void)instance, (void)error;
  *self = g_text;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  (void)self, (void)error;
  if (json.len >= sizeof g_text) return PGA_E_CONFIG;
  if (dry_run != 0) return PGA_OK;
  memcpy(g_text, json.data, json.len);
  g_text[json.len] = '\0';
  char number[32];
  read_text("do", g_do, sizeof g_do);
  read_text("path", g_path, sizeof g_path);
  read_text("number", number, sizeof number);
  g_number = atoi(number);
  return PGA_OK;
}

/* 0, or errno of a call that answers -1. A descriptor is closed. */
static int outcome(long result) { return result == -1 ? errno : 0; }
static int opened(int fd) {
  const int answer = outcome(fd);
  if (fd >= 0) close(fd);
  return answer;
}

static int connect_to(int family, int type) {
  const int fd = socket(family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)g_number), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  snprintf(un.sun_path, sizeof un.sun_path, "%.100s", g_path);
  const int answer = family == AF_UNIX ? outcome(connect(fd, (struct sockaddr*)&un, sizeof un))
                                       : outcome(connect(fd, (struct sockaddr*)&in, sizeof in));
  close(fd);
  return answer;
}

static int listen_tcp(int also_listen) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int answer = 0;
  if (!also_listen) answer = outcome(bind(fd, (struct sockaddr*)&in, sizeof in));
  if (also_listen) answer = outcome(listen(fd, 1)); /* unbound: the kernel chooses a port */
  close(fd);
  return answer;
}

static int spawn_program(void) {
  char* arguments[] = {"true", NULL};
  char* environment[] = {NULL};
  pid_t child = 0;
  const int answer = posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment);
  int status = 0;
  if (answer == 0) waitpid(child, &status, 0);
  return answer != 0 ? answer : status == 0 ? 0 : ECHILD;
}

static int fork_child(void) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) waitpid(child, NULL, 0);
  return outcome(child);
}

static int exec_memory(void) {
  const int fd = memfd_create("program", MFD_CLOEXEC);
  if (fd < 0) return errno;
  char* none[] = {NULL};
  return outcome(fexecve(fd, none, none));
}

/* What a constructor gets to see, before the host has heard anything of the plugin. */
static int g_at_load;
__attribute__((constructor)) static void try_at_load(void) {
  const int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);
  g_at_load = fd < 0 ? errno : 0;
  if (fd >= 0) close(fd);
}

static void* count_up(void* number) {
  ++*(int*)number;
  return NULL;
}

static int run_thread(void) {
  pthread_t thread;
  int number = 0;
  const int answer = pthread_create(&thread, NULL, count_up, &number);
  if (answer == 0) pthread_join(thread, NULL);
  return answer != 0 ? answer : number == 1 ? 0 : ESRCH;
}

static int read_other_memory(void) {
  char byte;
  struct iovec ours = {&byte, 1}, theirs = {(void*)&g_number, 1};
  return outcome(process_vm_readv(getppid(), &ours, 1, &theirs, 1, 0));
}

static int prlimit_parent(void) {
  struct rlimit one = {1, RLIM_INFINITY};
  return outcome(prlimit(getppid(), RLIMIT_CPU, &one, NULL));
}

static int allocate(void) {
  const size_t bytes = (size_t)g_number << 20;
  void* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  munmap(memory, bytes);
  return 0;
}

static int is(const char* what) { return strcmp(g_do, what) == 0; }

static int try_files(void) {
  if (is("at load")) return g_at_load;
  if (is("read")) return opened(open(g_path, O_RDONLY | O_CLOEXEC));
  if (is("write")) return opened(open(g_path, O_WRONLY | O_CLOEXEC));
  if (is("create")) return opened(open(g_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (is("empty")) return opened(open(g_path, O_RDONLY | O_TRUNC | O_CLOEXEC));
  if (is("truncate")) return outcome(truncate(g_path, 0));
  if (is("unlink")) return outcome(unlink(g_path));
  if (is("mkdir")) return outcome(mkdir(g_path, 0700));
  if (is("chmod")) return outcome(chmod(g_path, 0666));
  if (is("fchmodat2")) return outcome(syscall(452, AT_FDCWD, g_path, 0666, 0));
  if (is("utimes")) return outcome(utimensat(AT_FDCWD, g_path, NULL, 0));
  if (is("openat2")) return outcome(syscall(437, AT_FDCWD, g_path, NULL, 0));
  return -1;
}

static int try_processes(void) {
  if (is("exec")) return outcome(execl("/bin/true", "true", NULL));
  if (is("memory exec")) return exec_memory();
  if (is("spawn")) return spawn_program();
  if (is("fork")) return fork_child();
  if (is("thread")) return run_thread();
  if (is("ptrace")) return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
  if (is("memory of host")) return read_other_memory();
  if (is("kill host")) return outcome(kill(getppid(), 0));
  if (is("kill all")) return outcome(kill(-1, 0));
  if (is("tgkill host")) return outcome(syscall(SYS_tgkill, getppid(), getppid(), 0));
  if (is("own signal")) return outcome(kill(getpid(), 0));
  if (is("pidfd signal")) return outcome(syscall(SYS_pidfd_send_signal, -1, 0, NULL, 0));
  if (is("other group")) return outcome(setpgid(0, getpgid(getppid())));
  if (is("limit host")) return prlimit_parent();
  if (is("nice host")) return outcome(setpriority(PRIO_PROCESS, (id_t)getppid(), 19));
  if (is("nice user")) return outcome(setpriority(PRIO_USER, 0, 19));
  if (is("signals by fcntl")) return outcome(fcntl(2, F_SETOWN, getppid()));
  if (is("unbind life")) return outcome(prctl(PR_SET_PDEATHSIG, 0));
  return -1;
}

static int try_kernel(void) {
  if (is("mount")) return outcome(mount("none", "/mnt", "tmpfs", 0, NULL));
  if (is("unshare")) return outcome(unshare(CLONE_NEWUSER));
  if (is("namespace")) return outcome(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
  if (is("clone3")) return outcome(syscall(435, NULL, 0));
  if (is("setuid")) return outcome(setuid(getuid()));
  if (is("chroot")) return outcome(chroot("/"));
  if (is("io_uring")) return outcome(syscall(425, 1, NULL));
  if (is("handle")) return outcome(syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, O_RDONLY));
  if (is("bpf")) return outcome(syscall(SYS_bpf, 0, NULL, 0));
  if (is("keyctl")) return outcome(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
  if (is("userfaultfd")) return outcome(syscall(SYS_userfaultfd, 0));
  if (is("perf")) return outcome(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
  if (is("shared memory")) return outcome(syscall(SYS_shmget, 0, 4096, 0600));
  if (is("unknown call")) return outcome(syscall(500));
  if (is("allocate")) return allocate();
  return -1;
}

static int try_network(void) {
  if (is("tcp")) return connect_to(AF_INET, SOCK_STREAM);
  if (is("udp")) return connect_to(AF_INET, SOCK_DGRAM);
  if (is("unix")) return connect_to(AF_UNIX, SOCK_STREAM);
  if (is("packet")) return opened(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (is("vsock")) return opened(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (is("audit")) return opened(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 9));
  if (is("route")) return opened(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (is("bind")) return listen_tcp(0);
  if (is("listen")) return listen_tcp(1);
  return -1;
}

/* Who it is: "uid gid groups caps=effective,inheritable no_new_privs home". */
static pga_status tell_who(const pga_run* run) {
  char rest[256];
  gid_t groups[32];
  const int count = getgroups(32, groups);
  int length = snprintf(rest, sizeof rest, ",\"count\":0,\"text\":\"%d %d", (int)getuid(), (int)getgid());
  for (int i = 0; i < count; ++i)
    length += snprintf(rest + length, sizeof rest - (size_t)length, "%c%d", i == 0 ? ' ' : ',', (int)groups[i]);
  uint32_t header[2] = {0x20080522, 0}, sets[6] = {0};
  if (syscall(SYS_capget, header, sets) != 0) return PGA_E_FAIL;
  snprintf(rest + length, sizeof rest - (size_t)length, " caps=%x,%x nnp=%d home=%s\"", sets[0] | sets[3], sets[2] | sets[5],
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), getenv("HOME") != NULL ? getenv("HOME") : "");
  return emit_document(run, PLUGIN_ID, rest);
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  (void)self;
  if (is("who")) return tell_who(run);
  int (*const tries[])(void) = {try_files, try_processes, try_kernel, try_network};
  for (size_t i = 0; i < sizeof tries / sizeof *tries; ++i) {
    const int answer = tries[i]();
    if (answer < 0) continue;
    char rest[128];
    snprintf(rest, sizeof rest, ",\"count\":%d,\"text\":\"%s\"", answer, strerror(answer));
    return emit_document(run, PLUGIN_ID, rest);
  }
  snprintf(error->message, sizeof error->message, "what is '%s'?", g_do);
  return PGA_E_CONFIG;
}

static void destroy(void* self) { (void)self; }

static const pga_plugin kPlugin = {
    sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
