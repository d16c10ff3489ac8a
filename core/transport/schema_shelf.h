// The output schemas that a server may ask for, by their digests. Thread-safe.
//
// What was put here stays, also when its plugin has another one now: batches that were sealed before still name it. A few are
// kept of each process's life; a server that asks for one that is gone reads its documents by a later one.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace pganalytics::transport {

struct OutputSchema {
  std::string type;    // of the documents that it describes
  std::string sha256;  // hex, of the text
  std::string text;
};

class SchemaShelf {
 public:
  // Returns the digest. Cheap if the type has this very text now.
  std::string put(const std::string& type, const std::string& text);
  // Of that digest: more than one if plugins share a text.
  [[nodiscard]] std::vector<OutputSchema> find(const std::string& sha256) const;

 private:
  mutable std::mutex mutex_;
  std::deque<OutputSchema> schemas_;  // the newest first
};

}  // namespace pganalytics::transport
