// pganalytics-worker <name>: the process one instance of a plugin lives in. Started by the host (core/host/process.cpp), never by
// people.
//
// It knows nothing but how to call a plugin: what to load, under which policy and when to run come as frames on descriptor 3, and
// everything the plugin wants or has goes back there. It links nothing that a plugin might bring in another version (no OpenSSL,
// curl, libpq). Order: the first frame > the policy in force, while there is one thread > threads > the plugin's code.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "core/host/worker/confine.h"
#include "core/host/worker/session.h"

namespace {

using namespace pganalytics;

constexpr int kHostSocket = 3;

// What a plugin may count on, whatever the collector was started from.
bool settle_process() {
  if (fcntl(kHostSocket, F_SETFD, FD_CLOEXEC) != 0) return false;  // programs that a plugin runs do not talk to the host
  if (close_range(kHostSocket + 1, ~0U, 0) != 0) return false;
  signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of write(), not the end of the process
  umask(077);
  return chdir("/") == 0;
}

bool receive_exactly(std::string& bytes, std::size_t count) {
  const std::size_t before = bytes.size();
  bytes.resize(before + count);
  for (std::size_t have = 0; have < count;) {
    const ssize_t got = recv(kHostSocket, bytes.data() + before + have, count - have, MSG_WAITALL);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    have += static_cast<std::size_t>(got);
  }
  return true;
}

// The LOAD frame, and not a byte of what may follow: that is the link's. The link's thread cannot read it, as it would not be
// bound by a policy that comes later.
std::optional<host::LoadMessage> receive_load() {
  std::string bytes;
  host::FrameReader reader(host::FrameReader::From::kHost);
  if (!receive_exactly(bytes, host::kFrameHeaderBytes)) return std::nullopt;
  const auto length = host::payload_bytes(bytes);
  if (length > host::kFramePayloadBytesMax || !receive_exactly(bytes, length)) return std::nullopt;
  reader.feed(bytes);
  const auto frame = reader.next();
  if (!frame || !*frame || (*frame)->type != host::FrameType::kLoad) return std::nullopt;
  return host::unpack<host::LoadMessage>((*frame)->payload);
}

// Tens of KiB per worker: what reading the policy took is given back, and the second thread has no heap of its own.
void keep_heap_small() {
  mallopt(M_ARENA_MAX, 1);
  malloc_trim(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !settle_process()) {
    std::fprintf(stderr, "%s: this program is started by pganalytics, with a socket to it as descriptor 3\n",
                 argc > 0 ? argv[0] : "");
    return 2;
  }
  const auto load = receive_load();
  if (!load) return EXIT_FAILURE;  // the host is gone, or of another build
  auto confined = worker::confine(load->policy, kHostSocket);
  keep_heap_small();
  worker::Session session;
  worker::Link link(kHostSocket, {[&session](std::uint64_t run) { session.cancel(run); },
                                  [&session](std::uint64_t run, std::uint64_t bytes) { session.credit(run, bytes); },
                                  {}});
  if (!session.serve(link, *load, std::move(confined))) _exit(EXIT_FAILURE);  // the link still reads: no orderly end
  return host::kWorkerDone;
}
