#include "core/collector/description.h"

#include <system_error>
#include <utility>

namespace pganalytics::collector {

Description::Description(std::vector<host::Candidate> candidates, std::string worker_path, Catalogue before,
                         std::function<void()> ended) {
  auto work = [this, candidates = std::move(candidates), worker_path = std::move(worker_path), before = std::move(before),
               ended = std::move(ended)] {
    made_ = Catalogue::of(candidates, worker_path, &before);
    ready_ = true;
    ended();
  };
  try {
    thread_ = std::thread(work);
  } catch (const std::system_error&) {  // no thread to be had: better late than never
    work();
  }
}

Description::~Description() {
  if (thread_.joinable()) thread_.join();
}

Catalogue Description::take() { return std::move(made_); }

}  // namespace pganalytics::collector
