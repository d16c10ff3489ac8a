/* fault_protocol: goes behind the worker's back and talks to the host over its socket, descriptor 3. */
#include "kit.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { kHost = 3 };
enum {
  kCollect = 4,
  kPing = 8,
  kHello = 64,
  kConfigured = 65,
  kDocument = 66,
  kResult = 67,
  kLog = 68,
  kAsk = 69,
  kPong = 70
}; /* core/host/frames.h */

static size_t put_header(char* frame, uint32_t length, uint16_t type, uint64_t run) {
  const uint16_t flags = 0;
  memcpy(frame, &length, 4);
  memcpy(frame + 4, &type, 2);
  memcpy(frame + 6, &flags, 2);
  memcpy(frame + 8, &run, 8);
  return 16;
}

static void send_all(const char* bytes, size_t length) {
  while (length > 0) {
    const ssize_t sent = send(kHost, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    bytes += sent;
    length -= (size_t)sent;
  }
}

static pga_status wait_for_the_end(void) {
  for (;;) pause();
}

static pga_status garbage(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  char bytes[4096];
  unsigned next = 12345;
  for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = (char)((next = next * 1103515245u + 12345u) >> 16);
  send_all(bytes, sizeof bytes);
  return wait_for_the_end();
}

/* A header that promises 1000 bytes, ten of them, and then it goes on as usual: every later frame is read inside this one, and
 * when that is full, from its middle. */
static pga_status partial(const pga_run* run, pga_error* error) {
  (void)error;
  char frame[26] = "";
  put_header(frame, 1000, kLog, 0);
  send_all(frame, sizeof frame);
  for (int i = 0; i < 20; ++i) emit_document(run, "");
  return PGA_OK;
}

/* Never ends, never is wrong. */
static pga_status half_a_header(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  char frame[16];
  put_header(frame, 10, kLog, 0);
  send_all(frame, 7);
  return wait_for_the_end();
}

static pga_status oversize(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  char frame[16];
  put_header(frame, UINT32_MAX, kDocument, run->sequence);
  send_all(frame, sizeof frame);
  return wait_for_the_end();
}

/* The largest frames that there are, one after the other, as log lines, which may not be so long. */
static pga_status largest(const pga_run* run, pga_error* error) {
  enum { kBytes = 16 << 20 };
  (void)run, (void)error;
  char* frame = malloc(kBytes + 16);
  if (frame == NULL) return PGA_E_FAIL;
  const uint32_t level = PGA_LOG_ERROR, text = kBytes - 8;
  memset(frame, 'x', kBytes + 16);
  put_header(frame, kBytes, kLog, 0);
  memcpy(frame + 16, &level, 4);
  memcpy(frame + 20, &text, 4);
  for (;;) send_all(frame, kBytes + 16);
}

static pga_status host_frame(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  char frame[16];
  put_header(frame, 0, kCollect, 1);
  send_all(frame, sizeof frame);
  return wait_for_the_end();
}

static pga_status second_hello(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  char frame[16];
  put_header(frame, 0, kHello, 0);
  send_all(frame, sizeof frame);
  return wait_for_the_end();
}

static void send_document(uint64_t run, const char* json) {
  char frame[512];
  const size_t length = strlen(json);
  put_header(frame, (uint32_t)length, kDocument, run);
  memcpy(frame + 16, json, length);
  send_all(frame, 16 + length);
}

/* Past the worker's own checks: the host must make them too. */
static pga_status forged_document(const pga_run* run, pga_error* error) {
  (void)error;
  send_document(
      run->sequence,
      "{\"type\":\"fault_neighbour\",\"timestamp\":\"2020-01-01T00:00:00Z\",\"run\":1,\"text\":\"ESCAPED: in another's name\"}");
  return PGA_OK;
}

static pga_status other_runs_document(const pga_run* run, pga_error* error) {
  (void)error;
  send_document(run->sequence + 1,
                "{\"type\":\"fault_protocol\",\"timestamp\":\"2020-01-01T00:00:00Z\",\"text\":\"ESCAPED: outside its run\"}");
  return PGA_OK;
}

/* One document more than a run may have. */
static pga_status too_many_documents(const pga_run* run, pga_error* error) {
  (void)error;
  char json[128];
  snprintf(json, sizeof json, "{\"type\":\"%s\",\"timestamp\":\"2020-01-01T00:00:00Z\"}", PLUGIN_ID);
  for (int i = 0; i <= 10000; ++i) send_document(run->sequence, json);
  return PGA_OK;
}

static void* flood_pongs(void* nothing) {
  enum { kFrames = 1000 };
  static char frames[16 * kFrames];
  for (int i = 0; i < kFrames; ++i) put_header(frames + 16 * i, 0, kPong, 0);
  for (;;) send_all(frames, sizeof frames);
  return nothing;
}

/* Runs end well; beside them a thread keeps the host busy with frames that mean nothing. */
static pga_status unasked_pongs(const pga_run* run, pga_error* error) {
  static int started;
  pthread_t thread;
  if (started++ == 0 && (errno = pthread_create(&thread, NULL, flood_pongs, NULL)) != 0) return stopped(error, "start a thread");
  return emit_document(run, "");
}

static void stop_here(int number) {
  (void)number;
  for (;;) pause();
}

/* The worker's other threads: nobody reads what the host sends from here on. */
static void stop_other_threads(void) {
  signal(SIGUSR1, stop_here);
  DIR* tasks = opendir("/proc/self/task");
  const pid_t own = (pid_t)syscall(SYS_gettid);
  for (struct dirent* task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
    const pid_t thread = (pid_t)atoi(task->d_name);
    if (thread > 0 && thread != own) syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
  }
  /* Where /proc is closed: threads are numbered one after the other. */
  for (pid_t thread = own + 1; tasks == NULL && thread < own + 64; ++thread) syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
  if (tasks != NULL) closedir(tasks);
}

/* Questions whose answers nobody fetches: they would pile up in the host. */
static pga_status ask_without_reading(const pga_run* run, pga_error* error) {
  enum { kFrames = 1000, kBytes = 16 + 4 + 4 + 9 };
  static char frames[kFrames * kBytes];
  const uint32_t kind = 1, length = 9;
  (void)run, (void)error;
  for (int i = 0; i < kFrames; ++i) {
    char* frame = frames + kBytes * i;
    put_header(frame, kBytes - 16, kAsk, 0);
    memcpy(frame + 16, &kind, 4);
    memcpy(frame + 20, &length, 4);
    memcpy(frame + 24, "host.name", 9);
  }
  stop_other_threads();
  for (;;) send_all(frames, sizeof frames);
}

/* Descriptors as a present: the host must not take them. */
static pga_status send_descriptors(const pga_run* run, pga_error* error) {
  enum { kCount = 100 };
  (void)error;
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * kCount)];
  } control;
  char frame[16];
  put_header(frame, 0, kPong, 0);
  struct iovec data = {frame, sizeof frame};
  for (int sent = 0; sent < 100; ++sent) {
    memset(&control, 0, sizeof control);
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * kCount);
    for (int i = 0; i < kCount; ++i) ((int*)CMSG_DATA(header))[i] = STDERR_FILENO;
    if (sendmsg(kHost, &message, MSG_NOSIGNAL) < 0) return stopped(error, "send descriptors to the host");
  }
  return emit_document(run, "");
}

static pga_status close_socket(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  close(kHost);
  return wait_for_the_end();
}

static pga_status shut_socket(const pga_run* run, pga_error* error) {
  (void)run, (void)error;
  shutdown(kHost, SHUT_RDWR);
  return wait_for_the_end();
}

static pga_status close_descriptors(const pga_run* run, pga_error* error) {
  (void)error;
  for (int fd = 0; fd <= 64; ++fd) close(fd);
  return emit_document(run, "");
}

static const named_misdeed kMisdeeds[] = {{"garbage", garbage},
                                          {"partial", partial},
                                          {"half_a_header", half_a_header},
                                          {"oversize", oversize},
                                          {"largest", largest},
                                          {"host_frame", host_frame},
                                          {"second_hello", second_hello},
                                          {"forged_document", forged_document},
                                          {"other_runs_document", other_runs_document},
                                          {"too_many_documents", too_many_documents},
                                          {"unasked_pongs", unasked_pongs},
                                          {"ask_without_reading", ask_without_reading},
                                          {"send_descriptors", send_descriptors},
                                          {"close_socket", close_socket},
                                          {"shut_socket", shut_socket},
                                          {"close_descriptors", close_descriptors},
                                          {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
