#include "core/validator/checker/performers.h"

#include "core/validator/checker/descriptor_checks.h"
#include "core/validator/checker/document_checks.h"
#include "core/validator/checker/fault_checks.h"
#include "core/validator/checker/file_checks.h"
#include "core/validator/checker/lifecycle_checks.h"
#include "core/validator/checker/load_checks.h"
#include "core/validator/checker/real_host_checks.h"
#include "core/validator/checker/reconfigure_checks.h"
#include "core/validator/checker/shortage_checks.h"
#include "core/validator/checker/time_checks.h"

namespace pganalytics::validator {

const std::vector<Performer>& all_performers() {
  static const std::vector<Performer> kPerformers = {
      {"E01", check_elf_kind},
      {"E02", check_note},
      {"E03", check_symbols_resolve},
      {"E04", check_entry_symbol},
      {"W05", check_exports},
      {"W06", check_unique_symbols},
      {"E07", check_code_and_stack},
      {"W08", check_binding},
      {"E09", check_run_paths},
      {"W10", check_names_of_libraries},
      {"W11", check_build_id},
      {"E12", check_file_trust},
      {"W13", check_libraries},
      {"E14", check_load_time_and_output},
      {"E15", check_entry_is_pure},
      {"E16", check_load_side_effects},
      {"E17", check_tables},
      {"E18", check_host_minors},
      {"E19", check_descriptor},
      {"E20", check_schemas},
      {"E21", check_extensions},
      {"E22", check_nothing_is_left},
      {"E23", check_destroy_at_any_time},
      {"E24", check_configurations_accepted},
      {"E25", check_odd_configurations},
      {"E26", check_dry_run},
      {"E27", check_failed_reconfiguration},
      {"E28", check_many_reconfigurations},
      {"E29", check_two_instances},
      {"E30", check_threads},
      {"E31", check_documents_are_json},
      {"E32", check_documents_fit_schema},
      {"E33", check_counters_grow},
      {"W34", check_gauges_are_gauges},
      {"E35", check_silence_is_allowed},
      {"E36", check_refused_documents},
      {"E37", check_refused_state},
      {"E38", check_lost_run},
      {"E39", check_secrets_stay},
      {"E40", check_other_hosts},
      {"E41", check_memory_bounds},
      {"E42", check_borrows},
      {"E43", check_deadline},
      {"E44", check_cancel},
      {"E45", check_silent_target},
      {"E46", check_clock_jumps},
      {"E47", check_orderly_end},
      {"E48", check_sandbox},
      {"E49", check_shortages},
      {"W51", check_cost_of_runs},
      {"E52", check_nothing_escapes},
      {"W53", check_log_discipline},
      {"E54", check_hostile_files},
      {"W55", check_failing_allocations},
  };
  return kPerformers;
}

}  // namespace pganalytics::validator
