// The trial of one remote configuration that is in force: did it make anything worse?
//
// It has passed when every plugin that it touches (other keys, interval or timeout than before, or newly switched on) has had two
// good runs under it and the server has acknowledged a batch that was sealed under it. It has failed as soon as one of those
// plugins refuses its configuration, loses its worker (a crash, a hang, a ceiling), fails twice in a row, or has no two good runs
// by the end of its time; or when the server refuses a batch that is packed as only this document asks for.
//
// What is not held against it: a plugin that did not work before either, plugins that it does not touch, and a server that is
// away. A document cannot touch the way to the server (URL, CA, identity are the host's own), so an outage says nothing about it:
// it is neither taken back nor called good until the server answers again.
//
// Here: the verdict. Not here: applying and taking back (configuration.h). Pure: time is passed in, monotonic. [main thread]
#pragma once

#include "core/host/supervisor.h"
#include "core/spool/batch.h"
#include "core/transport/delivery.h"

#include <cstdint>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

class Trial {
 public:
  static constexpr int kGoodRuns = 2;
  static constexpr int kFailedRunsInARow = 2;

  // One plugin that the document touches.
  struct Touched {
    std::string plugin;
    std::int64_t interval_ms = 0, timeout_ms = 0;
    bool worked_before = true;     // false: its failures are not held against the document, nor its good runs waited for
    std::uint64_t faults = 0;      // that it had before
    int good = 0, failed = 0;      // runs under the document; failed: in a row
    std::string last_failure;      // of a run
    std::int64_t asked_at_ms = 0;  // when a run was last asked for outside the schedule; 0: never
  };

  // limit_ms: how long the plugins have. other_encoding: the document changes how batches are packed.
  Trial(std::vector<Touched> touched, std::int64_t now_ms, std::int64_t limit_ms, bool other_encoding);

  // A run of any plugin ended; began_ms: when it began. One that began before the trial says nothing.
  void run_ended(const std::string& plugin, std::int64_t began_ms, const std::optional<Error>& failed);
  // A batch was sealed under the document.
  void sealed(const spool::BatchKey& key);
  // What the server made of batches so far.
  void delivered(const transport::DeliveryStatus& delivery);

  // Plugins whose schedule alone would not bring their two runs in time, and for which it is time for one more.
  std::vector<std::string> runs_to_ask_for(std::int64_t now_ms);

  // Why the document has to go; nullopt: nothing speaks against it.
  [[nodiscard]] std::optional<std::string> objection(const std::vector<host::PluginHealth>& health, std::int64_t now_ms) const;
  [[nodiscard]] bool plugins_are_well() const;
  [[nodiscard]] bool passed() const { return plugins_are_well() && pushed_; }
  // Nothing was sealed under it yet that could be pushed.
  [[nodiscard]] bool needs_a_batch() const { return plugins_are_well() && !first_sealed_; }
  // Its plugins have had their say: another document need not wait for the server to answer.
  [[nodiscard]] bool may_be_replaced() const { return plugins_are_well(); }
  // When objection() or runs_to_ask_for() has to be asked again though nothing happens.
  [[nodiscard]] std::int64_t next_ms() const;

 private:
  [[nodiscard]] bool waits_for(const Touched& touched) const { return touched.worked_before && touched.good < kGoodRuns; }
  [[nodiscard]] std::optional<std::int64_t> asks_at_ms(const Touched& touched) const;
  [[nodiscard]] static std::optional<std::string> objection_of(const Touched& touched, const host::PluginHealth& health);

  std::vector<Touched> touched_;
  std::int64_t began_ms_, limit_ms_, deadline_ms_;
  bool other_encoding_;
  std::optional<spool::BatchKey> first_sealed_;
  bool pushed_ = false;
  std::string refused_;  // why the server refused a batch that was sealed under it; "": it did not
};

// What `after` changes for whom, given how plugins fared until now.
std::vector<Trial::Touched> touched_plugins(const std::vector<host::PluginSettings>& before,
                                            const std::vector<host::PluginSettings>& after,
                                            const std::vector<host::PluginHealth>& health);

}  // namespace pganalytics::collector
