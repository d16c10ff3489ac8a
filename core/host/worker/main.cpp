// pganalytics-worker <id>: the process one plugin lives in. Started by the host (core/host/process.cpp), never by people.
//
// It knows nothing but how to call a plugin: what to load and when to run come as frames on descriptor 3, and everything the
// plugin wants or has goes back there. It links nothing that a plugin might bring in another version (no OpenSSL, curl, libpq).
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "core/host/worker/session.h"

namespace {

constexpr int kHostSocket = 3;

// Die with the host, also when it is killed: the kernel sees to it, unless the host was gone before we asked. The other end of
// the socket remembers who made it, so there is no doubt who our parent should be.
bool bind_life_to_host() {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
  ucred maker{};
  socklen_t size = sizeof maker;
  if (getsockopt(kHostSocket, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0) return false;
  return maker.pid == getppid();
}

// What a plugin may count on, whatever the collector was started from.
bool settle_process() {
  if (fcntl(kHostSocket, F_SETFD, FD_CLOEXEC) != 0) return false;  // programs that a plugin runs do not talk to the host
  if (close_range(kHostSocket + 1, ~0U, 0) != 0) return false;
  signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of write(), not the end of the process
  umask(077);
  return chdir("/") == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !bind_life_to_host() || !settle_process()) {
    std::fprintf(stderr, "%s: this program is started by pganalytics, with a socket to it as descriptor 3\n",
                 argc > 0 ? argv[0] : "");
    return 2;
  }
  pganalytics::worker::Session session;
  pganalytics::worker::Link link(kHostSocket, [&session](std::uint64_t run) { session.cancel(run); });
  if (!session.serve(link)) _exit(EXIT_FAILURE);  // the link still reads: no orderly end
  return EXIT_SUCCESS;
}
