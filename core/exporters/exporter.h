// What sends batches to others than our own server asks for: the requests that a batch's documents come to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::exporters {

// What one instance of a plugin emitted on one collector.
struct Emitted {
  std::string collector;  // its name
  std::string instance;   // "pg_stats@prod2"
  std::vector<std::string> documents;
  std::int64_t unix_ns = 0;  // the time of what does not say one
};

struct ExportRequest {
  std::string path;                  // behind the destination's URL; "": the URL itself
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::size_t emitted_done = 0;  // so many of the batch's, from the first on, are sent when this one is and those before it
};

struct ExportedBatch {
  std::vector<ExportRequest> requests;     // none: nothing in it is for this destination
  std::uint32_t unreadable_documents = 0;  // against the schema at hand; each is logged, the others are exported
};

// One thread at a time.
class Exporter {
 public:
  virtual ~Exporter() = default;
  // The same documents come to the same requests.
  virtual ExportedBatch encode(const std::vector<Emitted>& batch) = 0;
  // What the receiver says of a success: why some of it was not taken; "" if all was. Others have no such word.
  [[nodiscard]] virtual std::string complaint_in(const std::string& /*answer*/) const { return ""; }
};

}  // namespace pganalytics::exporters
