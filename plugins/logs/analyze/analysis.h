// Entries of logs, counted. Memory is bounded whatever they say: groups beyond Figures::kMaxGroups are summed up as others. One
// thread.
#pragma once

#include "plugins/logs/analyze/figures.h"
#include "plugins/logs/event.h"
#include "plugins/logs/privacy/spans.h"

#include <cstdint>
#include <optional>

namespace pganalytics::logs {

class Analysis {
 public:
  struct Limits {
    Redaction redaction = Redaction::kParameters;  // of the texts that are shown
    std::optional<std::int64_t> from_unix_ms;      // entries before, at or after `to`, or without a time are left out
    std::optional<std::int64_t> to_unix_ms;
  };

  explicit Analysis(const Limits& limits) : limits_(limits) {}

  void add(Event event);
  Figures& figures() { return figures_; }

 private:
  // What texts are grouped by: with nothing hidden still without their values.
  [[nodiscard]] Redaction grouping() const {
    return limits_.redaction == Redaction::kNone ? Redaction::kParameters : limits_.redaction;
  }
  [[nodiscard]] bool is_wanted(const Event& event) const;
  void add_error(Event event, bool has_class);
  void add_statement(const Event& event);
  void add_by_class(const Event& event);

  const Limits limits_;
  Figures figures_;
};

}  // namespace pganalytics::logs
