// One file read on from its cursor: lines to entries, entries to documents, the cursor behind what was handed over.
//
// Not here: which files there are and in which order (follow/survey.h). One object per file and run, on the run's thread.
#pragma once

#include "plugins/logs/config.h"
#include "plugins/logs/documents.h"
#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/follow/file_access.h"
#include "plugins/logs/follow/line_reader.h"
#include "plugins/logs/follow/survey.h"
#include "plugins/logs/server/discovery.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <pganalytics/plugin.hpp>
#include <utility>
#include <vector>

namespace pganalytics::logs {

// How much more a run may read.
class Budget {
 public:
  Budget(Run& run, std::uint64_t bytes);
  void spend(std::uint64_t bytes);
  [[nodiscard]] bool out_of_bytes() const { return bytes_ == 0; }
  [[nodiscard]] bool out_of_time() const { return run_.cancelled() || run_.remaining() <= reserve_; }

 private:
  Run& run_;
  std::uint64_t bytes_;
  const std::chrono::milliseconds reserve_;  // to emit what was read
};

// What all files of a run share.
struct Reading {
  FileAccess& access;
  const Config& config;
  Discovery& discovery;
  Budget& budget;
  Documents& documents;
  Problems& problems;
};

// Does the file begin with the rest of an entry, or with something else that is none? false also if it cannot be read.
bool begins_within_entry(const Reading& reading, const FollowedFile& followed);

class FileReading {
 public:
  // `successors`: where the server, or a daemon, may have gone on: of these nothing is read yet, the oldest first.
  FileReading(Reading& reading, FollowedFile& file, std::vector<FollowedFile*> successors)
      : reading_(reading), file_(file), successors_(std::move(successors)) {}

  // An error is the run's: the host refused a document, or what was handed over can not be marked as read. A file's own
  // trouble is told in the reading's problems.
  Outcome run();

 private:
  Outcome tell(const Error& error) const;
  Expected<std::unique_ptr<ReadableFile>> open();
  Outcome choose_format(const ReadableFile& file);
  Outcome read_lines(LineReader& reader, EntrySource& entries);
  Outcome join(const ReadableFile& file, LineReader& reader, EntrySource& entries);
  Expected<bool> join_with(FollowedFile& successor, const ReadableFile& file, LineReader& reader, EntrySource& entries);
  Outcome settle(const ReadableFile& file, LineReader& reader, EntrySource& entries);
  Outcome hand_over();
  [[nodiscard]] bool is_idle(const FileFacts& facts) const;
  [[nodiscard]] bool is_resting(const FileFacts& facts, const Cursor& cursor) const;

  Reading& reading_;
  FollowedFile& file_;
  const std::vector<FollowedFile*> successors_;
  Format format_ = Format::kStderr;
  std::vector<Event> complete_;
  bool out_of_time_ = false;
  bool stopped_ = false;
  bool joined_ = false;  // the last entry's rest came from the successor: it is whole
};

}  // namespace pganalytics::logs
