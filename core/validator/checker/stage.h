// Where a plugin plays: the SDK's fake host, as kind as it can be, with the configurations at hand. A check makes unkind what it
// is about and nothing else, so that a plugin with one weakness fails one check.
#pragma once

#include <pganalytics/testhost.hpp>
#include <string>

#include "core/validator/checker/configurations.h"
#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

class Stage {
 public:
  // Throws CannotCheck where there is no configuration to play with.
  explicit Stage(Subject& subject);

  testing::FakeHost host;
  const Configurations configurations;

  // The three calls, each told to now_at(). Those that return nothing throw CannotCheck when the plugin refuses.
  testing::Instance create();
  testing::Instance create_configured();  // with the base
  void configure(testing::Instance& instance, const std::string& json);
  Outcome try_configure(testing::Instance& instance, const std::string& json, bool dry_run = false);
  testing::CollectResult collect(testing::Instance& instance, const testing::CollectOptions& options = {});
  // A run that must go well: with CannotCheck otherwise.
  testing::CollectResult collect_well(testing::Instance& instance, const testing::CollectOptions& options = {});

  [[nodiscard]] const pga_plugin* plugin() const { return plugin_; }
  [[nodiscard]] bool has_flag(std::uint32_t flag) const { return (plugin_->descriptor->flags & flag) != 0; }

 private:
  const pga_plugin* plugin_;
};

// Away or closed to us: says nothing of the plugin.
bool is_unreachable(pga_status status);
// "the run failed with PGA_E_CONFIG: why".
std::string words_for(const char* what, pga_status status, const std::string& message);
const char* name_of(pga_status status);

}  // namespace pganalytics::validator
