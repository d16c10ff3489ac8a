// A catalogue in the making, on a thread of its own: a plugin's file may hang for ten seconds while it is described, and that is
// nobody's concern who collects meanwhile.
//
// Here: the thread. Not here: what describing is (catalogue.h), finding the files (core/host). [main thread]
#pragma once

#include "core/collector/catalogue.h"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace pganalytics::collector {

class Description {
 public:
  // before: as in Catalogue::of(). ended: called once, when ready() has become true. [on that thread]
  Description(std::vector<host::Candidate> candidates, std::string worker_path, Catalogue before, std::function<void()> ended);
  ~Description();  // waits for its end
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  // Once it is ready, and once.
  Catalogue take();

 private:
  Catalogue made_;  // the thread's until ready_
  std::atomic<bool> ready_{false};
  std::thread thread_;
};

}  // namespace pganalytics::collector
