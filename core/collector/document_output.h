// Where documents go when there is no server: standard output or a file, a line each.
//
// Here: writing whole lines. Not here: what happens to a run's state (its owner commits it after write() succeeded, so a document
// may come twice after a crash but never goes missing). [main thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

class DocumentOutput {
 public:
  // "-": standard output; else a file that is appended to (made 0640).
  static Expected<DocumentOutput> open(const std::string& target);
  DocumentOutput(DocumentOutput&& other) noexcept;
  DocumentOutput& operator=(DocumentOutput&& other) noexcept;
  ~DocumentOutput();

  Outcome write(const std::vector<std::string>& documents);

 private:
  DocumentOutput(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  int fd_;
  std::string name_;
};

}  // namespace pganalytics::collector
