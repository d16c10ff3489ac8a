// What the collector remembers of the server's configurations, also across its own death: one small value of the spool, so that
// it changes as a whole or not at all.
//
// Here: the record as JSON, both ways, and the questions that are answered by it alone. Not here: what follows from the answers
// (configuration.h). Value type. [main thread]
#pragma once

#include "core/collector/remote_mailbox.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::collector {

// A document with the version it goes by.
struct VersionedDocument {
  std::uint64_t version = 0;
  RemoteDocument document;
};

struct RemoteRecord {
  static constexpr std::size_t kGoodMax = 3;
  static constexpr int kCrashesMax = 2;

  // What became of the newest document.
  struct Newest {
    std::uint64_t version = 0;
    std::string etag, sha256;  // of its body
    std::string state;         // "applied" "probation" "rejected" "reverted"
    std::string reason;
  };
  // The document that is in force and has not proven itself.
  struct Probation {
    VersionedDocument document;
    int crashes = 0;                         // times that the collector died under it
    bool ended_well = false;                 // the collector was stopped under it, as asked
    std::vector<std::string> broken_before;  // plugins that it touches and that did not work before it either
  };

  std::string collector_id;      // whose server's versions these are: another identity begins anew
  std::uint64_t accepted = 0;    // the highest version that was ever in force
  std::optional<Newest> newest;  // nullopt: none was ever looked at
  std::optional<Probation> probation;
  std::vector<VersionedDocument> good;  // newest first: the last known good ones

  [[nodiscard]] std::string text() const;
  // PGA_E_FAIL: not such a record.
  static Expected<RemoteRecord> parse(std::string_view text);

  // It has proven itself. The ones before are kept, kGoodMax in all.
  void promote();
};

// The version a document goes by: what its body claims, else its entity tag ("7" in quotes); 0: neither says.
std::uint64_t version_of(const RemoteDocument& document);
// Whether the body itself claims one.
bool claims_version(const RemoteDocument& document);

}  // namespace pganalytics::collector
