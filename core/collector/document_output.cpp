#include "core/collector/document_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pganalytics::collector {

Expected<DocumentOutput> DocumentOutput::open(const std::string& target) {
  if (target == "-") return DocumentOutput(STDOUT_FILENO, "standard output");
  const int fd = ::open(target.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd >= 0) return DocumentOutput(fd, target);
  return Error{PGA_E_CONFIG, "output.open", "unable to open the output " + target + ": " + std::strerror(errno),
               "Check [collector] output, and that its folder may be written.", 0};
}

DocumentOutput::DocumentOutput(DocumentOutput&& other) noexcept : fd_(other.fd_), name_(std::move(other.name_)) {
  other.fd_ = -1;
}

DocumentOutput& DocumentOutput::operator=(DocumentOutput&& other) noexcept {
  std::swap(fd_, other.fd_);  // the other closes what was ours
  std::swap(name_, other.name_);
  return *this;
}

DocumentOutput::~DocumentOutput() {
  if (fd_ > STDERR_FILENO) ::close(fd_);
}

Outcome DocumentOutput::write(const std::vector<std::string>& documents) {
  std::string lines;
  for (const std::string& document : documents) lines += document + "\n";
  for (std::size_t at = 0; at < lines.size();) {
    const ssize_t written = ::write(fd_, lines.data() + at, lines.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error{PGA_E_FAIL, "output.write", "unable to write to " + name_ + ": " + std::strerror(errno), "", 0};
    at += static_cast<std::size_t>(written);
  }
  return {};
}

}  // namespace pganalytics::collector
