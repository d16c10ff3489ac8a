// pganalytics-checker: performs one check of one plugin and ends. Started by the validator (checker_process.cpp), never by
// people: the request comes on descriptor 4, the answer goes to descriptor 3 (request.h).
//
// The plugin's code runs in this process and may do whatever it likes to it; the validator reads an end without an answer as a
// failure. So nothing here recovers from anything.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "core/validator/checker/performers.h"

namespace {

namespace validator = pganalytics::validator;

std::string read_to_end(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(descriptor, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

validator::Finding perform(validator::Request request) {
  const auto& performers = validator::all_performers();
  const auto found = std::find_if(performers.begin(), performers.end(),
                                  [&](const validator::Performer& performer) { return performer.id == request.check; });
  if (found == performers.end()) return validator::Finding::skip("this checker has no check " + request.check);
  validator::Subject subject(std::move(request));
  try {
    return found->perform(subject);
  } catch (const validator::CannotCheck& cannot) {
    return cannot.finding;
  }
}

// Instances that a check left on purpose, exit handlers of the plugin: nothing of it runs after the answer.
[[noreturn]] void answer(const validator::Finding& finding) {
  const std::string text = validator::to_text(finding);
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t written = write(validator::kAnswerDescriptor, text.data() + sent, text.size() - sent);
    if (written <= 0) break;
    sent += static_cast<std::size_t>(written);
  }
  _exit(EXIT_SUCCESS);
}

}  // namespace

int main(int, char** argv) {
  if (fcntl(validator::kRequestDescriptor, F_GETFD) < 0 || fcntl(validator::kAnswerDescriptor, F_GETFD) < 0) {
    std::fprintf(stderr, "%s: this program is started by `pganalytics plugin validate`\n", argv[0]);
    return 2;
  }
  fcntl(validator::kAnswerDescriptor, F_SETFD, FD_CLOEXEC);
  auto request = validator::parse_request(read_to_end(validator::kRequestDescriptor));
  close(validator::kRequestDescriptor);
  if (!request) {
    std::fprintf(stderr, "%s: %s\n", argv[0], request.error().message.c_str());
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody waits for an answer any more
  signal(SIGPIPE, SIG_IGN);          // as in the worker
  answer(perform(std::move(request).value()));
}
