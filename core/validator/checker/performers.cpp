#include "core/validator/checker/performers.h"

#include "core/validator/checker/descriptor_checks.h"
#include "core/validator/checker/file_checks.h"
#include "core/validator/checker/load_checks.h"

namespace pganalytics::validator {

const std::vector<Performer>& all_performers() {
  static const std::vector<Performer> kPerformers = {
      {"E01", check_elf_kind},        {"E02", check_note},
      {"E03", check_symbols_resolve}, {"E04", check_entry_symbol},
      {"W05", check_exports},         {"W06", check_unique_symbols},
      {"E07", check_code_and_stack},  {"W08", check_binding},
      {"E09", check_run_paths},       {"W10", check_names_of_libraries},
      {"W11", check_build_id},        {"E12", check_file_trust},
      {"W13", check_libraries},       {"E14", check_load_time_and_output},
      {"E15", check_entry_is_pure},   {"E16", check_load_side_effects},
      {"E17", check_tables},          {"E18", check_host_minors},
      {"E19", check_descriptor},      {"E20", check_schemas},
  };
  return kPerformers;
}

}  // namespace pganalytics::validator
