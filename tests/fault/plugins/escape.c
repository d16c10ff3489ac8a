/* fault_escape: tries to leave its process: other people's files, processes, the network. Compiled twice: fault_escape declares
 * no need, fault_intruder every one but EXEC, so that what is forbidden to both is not forbidden by chance. */
#include "kit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

extern char** environ;

static pga_status read_file(const pga_run* run, pga_error* error, const char* path) {
  char what[640], bytes[256] = "";
  const int fd = open(path, O_RDONLY);
  snprintf(what, sizeof what, "read %s", path);
  if (fd < 0 || read(fd, bytes, sizeof bytes - 1) < 0) return stopped(error, what);
  close(fd);
  return escaped(run, what);
}

static pga_status read_target(const pga_run* run, pga_error* error) { return read_file(run, error, g_target); }

/* By a door that is open to it. */
static pga_status read_through_proc(const pga_run* run, pga_error* error) {
  char path[640];
  snprintf(path, sizeof path, "/proc/%d/root%s", (int)getppid(), g_target);
  return read_file(run, error, path);
}

static pga_status read_parents_environment(const pga_run* run, pga_error* error) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", (int)getppid());
  return read_file(run, error, path);
}

static pga_status write_target(const pga_run* run, pga_error* error) {
  const int fd = open(g_target, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0 || write(fd, "written\n", 8) < 0) return stopped(error, "write a file of another");
  close(fd);
  return escaped(run, "wrote a file of another");
}

static pga_status delete_target(const pga_run* run, pga_error* error) {
  if (unlink(g_target) == 0) return escaped(run, "deleted a file of another");
  return stopped(error, "delete a file of another");
}

static pga_status truncate_target(const pga_run* run, pga_error* error) {
  if (truncate(g_target, 0) == 0) return escaped(run, "emptied a file of another");
  return stopped(error, "empty a file of another");
}

static pga_status chmod_target(const pga_run* run, pga_error* error) {
  if (chmod(g_target, 0777) == 0) return escaped(run, "opened a file of another to all");
  return stopped(error, "open a file of another to all");
}

/* Somewhere, anywhere. */
static pga_status make_files(const pga_run* run, pga_error* error) {
  static const char* const kFolders[] = {"/tmp", "/var/tmp", "/dev/shm", "/run", "/", "."};
  char path[64];
  for (size_t i = 0; i < sizeof kFolders / sizeof *kFolders; ++i) {
    snprintf(path, sizeof path, "%s/pga-fault-%d", kFolders[i], (int)getpid());
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) continue;
    unlink(path);
    return escaped(run, path);
  }
  return stopped(error, "make a file anywhere");
}

/* The folder it was loaded from, replaced under the host's feet. */
static pga_status swap_folder(const pga_run* run, pga_error* error) {
  char aside[640];
  snprintf(aside, sizeof aside, "%s.aside", g_target);
  if (rename(g_target, aside) == 0) {
    if (symlink("/tmp", g_target) != 0) rename(aside, g_target);
    return escaped(run, "replaced the plugin folder by a link");
  }
  return stopped(error, "replace the plugin folder by a link");
}

static int address(struct sockaddr_in* to) {
  const char* colon = strchr(g_target, ':');
  memset(to, 0, sizeof *to);
  to->sin_family = AF_INET;
  to->sin_port = htons((uint16_t)atoi(colon + 1));
  to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return colon != NULL;
}

static pga_status connect_tcp(const pga_run* run, pga_error* error) {
  struct sockaddr_in to;
  address(&to);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr*)&to, sizeof to) != 0) return stopped(error, "connect out by TCP");
  return escaped(run, "connected out by TCP");
}

static pga_status send_udp(const pga_run* run, pga_error* error) {
  struct sockaddr_in to;
  address(&to);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || sendto(fd, "x", 1, 0, (struct sockaddr*)&to, sizeof to) < 0) return stopped(error, "send out by UDP");
  return escaped(run, "sent out by UDP");
}

static pga_status connect_unix(const pga_run* run, pga_error* error) {
  struct sockaddr_un to;
  memset(&to, 0, sizeof to);
  to.sun_family = AF_UNIX;
  snprintf(to.sun_path, sizeof to.sun_path, "%.100s", g_target);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr*)&to, sizeof to) != 0) return stopped(error, "connect to a socket file");
  return escaped(run, "connected to a socket file");
}

/* A plugin that may connect to sockets, and runs as the collector's user, at the operator's door. */
static pga_status ask_collector(const pga_run* run, pga_error* error) {
  static const char question[] = "{\"command\":\"release\",\"plugin\":\"fault_neighbour\"}\n";
  char answer[4096] = "";
  struct sockaddr_un to;
  memset(&to, 0, sizeof to);
  to.sun_family = AF_UNIX;
  snprintf(to.sun_path, sizeof to.sun_path, "%.100s", g_target);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr*)&to, sizeof to) != 0) return stopped(error, "ask the collector for anything");
  send(fd, question, sizeof question - 1, MSG_NOSIGNAL);
  const ssize_t length = recv(fd, answer, sizeof answer - 1, 0);
  close(fd);
  /* -5 is PGA_E_DENIED; that nothing was to be released would be an answer too. */
  if (length > 0 && strstr(answer, "\"status\":-5") == NULL) return escaped(run, "the collector answers it");
  errno = EPERM;
  return stopped(error, "ask the collector for anything");
}

static pga_status listen_tcp(const pga_run* run, pga_error* error) {
  struct sockaddr_in on;
  memset(&on, 0, sizeof on);
  on.sin_family = AF_INET;
  on.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&on, sizeof on) != 0 || listen(fd, 1) != 0) return stopped(error, "listen on a port");
  return escaped(run, "listens on a port");
}

static pga_status raw_socket(const pga_run* run, pga_error* error) {
  if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0) return escaped(run, "a raw socket");
  return stopped(error, "listen to all traffic");
}

static pga_status ptrace_host(const pga_run* run, pga_error* error) {
  if (ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0) return escaped(run, "ptraces the host");
  return stopped(error, "ptrace the host");
}

static pga_status read_host_memory(const pga_run* run, pga_error* error) {
  char byte, path[64];
  struct iovec here = {&byte, 1}, there = {(void*)(uintptr_t)environ, 1};
  errno = 0;
  if (process_vm_readv(getppid(), &here, 1, &there, 1, 0) >= 0 || errno == EFAULT) return escaped(run, "reads the host's memory");
  snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
  if (open(path, O_RDWR) >= 0) return escaped(run, "opened the host's memory");
  return stopped(error, "read the host's memory");
}

static pga_status steal_descriptor(const pga_run* run, pga_error* error) {
  const int host = (int)syscall(SYS_pidfd_open, getppid(), 0);
  if (host >= 0 && syscall(SYS_pidfd_getfd, host, 1, 0) >= 0) return escaped(run, "took a descriptor of the host");
  return stopped(error, "take a descriptor of the host");
}

static pga_status kill_host(const pga_run* run, pga_error* error) {
  if (kill(getppid(), SIGKILL) == 0) return escaped(run, "killed the host");
  return stopped(error, "kill the host");
}

static pga_status kill_hosts_group(const pga_run* run, pga_error* error) {
  const pid_t group = getpgid(getppid());
  if (group > 1 && kill(-group, SIGKILL) == 0) return escaped(run, "killed the host's process group");
  return stopped(error, "kill the host's process group");
}

static pga_status kill_host_by_pidfd(const pga_run* run, pga_error* error) {
  const int host = (int)syscall(SYS_pidfd_open, getppid(), 0);
  if (host >= 0 && syscall(SYS_pidfd_send_signal, host, SIGKILL, NULL, 0) == 0) return escaped(run, "killed the host by pidfd");
  return stopped(error, "kill the host by pidfd");
}

static pga_status kill_own_group(const pga_run* run, pga_error* error) {
  if (kill(0, SIGKILL) != 0) return stopped(error, "kill its own process group");
  return emit_document(run, "");
}

static pga_status limit_host(const pga_run* run, pga_error* error) {
  const uint64_t none[2] = {0, 0};
  if (syscall(SYS_prlimit64, getppid(), 7 /* RLIMIT_NOFILE */, none, NULL) == 0)
    return escaped(run, "took the host's descriptors away");
  return stopped(error, "limit the host");
}

static pga_status exec_shell(const pga_run* run, pga_error* error) {
  char* arguments[] = {(char*)"sh", (char*)"-c", (char*)"echo ESCAPED: a shell >&2", NULL};
  (void)run;
  execve("/bin/sh", arguments, environ);
  return stopped(error, "execute a shell");
}

static pga_status spawn_shell(const pga_run* run, pga_error* error) {
  char* arguments[] = {(char*)"sh", (char*)"-c", (char*)"echo ESCAPED: a shell >&2", NULL};
  pid_t shell;
  errno = posix_spawn(&shell, "/bin/sh", NULL, NULL, arguments, environ);
  if (errno != 0) return stopped(error, "start a shell");
  waitpid(shell, NULL, 0);
  return escaped(run, "started a shell");
}

/* A program that no file system has. */
static pga_status exec_from_memory(const pga_run* run, pga_error* error) {
  static const char script[] = "#!/bin/sh\necho ESCAPED: a program from memory >&2\n";
  char* arguments[] = {(char*)"x", NULL};
  (void)run;
  const int fd = memfd_create("x", 0);
  if (fd < 0 || write(fd, script, sizeof script - 1) < 0) return stopped(error, "make a program in memory");
  fexecve(fd, arguments, environ);
  return stopped(error, "execute a program from memory");
}

static pga_status new_namespace(const pga_run* run, pga_error* error) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) return escaped(run, "a namespace of its own");
  return stopped(error, "make a namespace");
}

static pga_status mount_something(const pga_run* run, pga_error* error) {
  if (mount("none", "/mnt", "tmpfs", 0, "") == 0) {
    umount("/mnt");
    return escaped(run, "mounted a file system");
  }
  return stopped(error, "mount a file system");
}

static pga_status change_user(const pga_run* run, pga_error* error) {
  if (setgid(65534) == 0 || setuid(65534) == 0) return escaped(run, "became another user");
  return stopped(error, "become another user");
}

static pga_status set_time(const pga_run* run, pga_error* error) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (clock_settime(CLOCK_REALTIME, &now) == 0) return escaped(run, "set the clock");
  return stopped(error, "set the clock");
}

/* To be there when the host is not: no signal at its death, nobody to read the end of its socket. */
static pga_status outlive_host(const pga_run* run, pga_error* error) {
  (void)error;
  prctl(PR_SET_PDEATHSIG, 0);
  close(3);
  emit_document(run, "");
  for (;;) pause();
}

static const named_misdeed kMisdeeds[] = {{"read", read_target},
                                          {"read_through_proc", read_through_proc},
                                          {"read_environment", read_parents_environment},
                                          {"write", write_target},
                                          {"delete", delete_target},
                                          {"truncate", truncate_target},
                                          {"chmod", chmod_target},
                                          {"make_files", make_files},
                                          {"swap_folder", swap_folder},
                                          {"connect_tcp", connect_tcp},
                                          {"send_udp", send_udp},
                                          {"connect_unix", connect_unix},
                                          {"ask_collector", ask_collector},
                                          {"listen_tcp", listen_tcp},
                                          {"raw_socket", raw_socket},
                                          {"ptrace", ptrace_host},
                                          {"read_memory", read_host_memory},
                                          {"steal_descriptor", steal_descriptor},
                                          {"kill_host", kill_host},
                                          {"kill_hosts_group", kill_hosts_group},
                                          {"kill_by_pidfd", kill_host_by_pidfd},
                                          {"kill_own_group", kill_own_group},
                                          {"limit_host", limit_host},
                                          {"exec_shell", exec_shell},
                                          {"spawn_shell", spawn_shell},
                                          {"exec_from_memory", exec_from_memory},
                                          {"new_namespace", new_namespace},
                                          {"mount", mount_something},
                                          {"change_user", change_user},
                                          {"set_time", set_time},
                                          {"outlive_host", outlive_host},
                                          {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
