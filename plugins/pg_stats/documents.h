// The documents of one run, written as the rows arrive: when one is full it is emitted and the next goes on where it stopped.
//
// {"type", "timestamp", "instance", "server": {...}, "<family>": {...}, "databases": [{"name", "<family>": {...}}], "errors",
// "readings"} A family that goes on in the next document has its head again there; its tail ("total", "omitted"...) is in the
// last part only. Memory: one document. Calls in the order of the nesting; one thread at a time.
#pragma once

#include <functional>
#include <pganalytics/plugin.hpp>
#include <string>
#include <string_view>

#include "plugins/pg_stats/problem.h"

namespace pganalytics::pg_stats {

class Documents {
 public:
  // Writes some members of the object that is open.
  using Members = std::function<void(JsonWriter&)>;

  // head: what each document has after its timestamp.
  Documents(Run& run, Members head);

  void open_database(std::string_view name);
  Outcome close_database();

  // A family of many rows: head, "rows", tail.
  void open_family(std::string_view name, Members head);
  // Its rows: begin_row() ... json() ... end_row(). False from begin_row(): the run takes no more bytes, nothing is to be
  // written.
  bool begin_row();
  Outcome end_row();
  void close_family(const Members& tail);

  // A family of one row.
  void add_object(std::string_view name, const Members& members);

  void add(const Problem& problem);
  void add_reading(std::string_view json_object);

  // The last document; at least one is emitted.
  Outcome finish();

  [[nodiscard]] JsonWriter& json() { return json_; }
  [[nodiscard]] std::size_t bytes() const { return emitted_bytes_ + json_.text().size(); }

 private:
  void open_document();
  Outcome emit();
  Outcome split();

  Run& run_;
  const Members head_;
  const std::size_t bytes_wanted_;  // a document with more is emitted
  JsonWriter json_;
  bool open_ = false, in_databases_ = false, in_database_ = false, in_family_ = false;
  std::string database_, family_;
  Members family_head_;
  std::string problems_, readings_;  // comma-separated objects
  std::size_t emitted_bytes_ = 0;
  bool emitted_ = false;
};

}  // namespace pganalytics::pg_stats
