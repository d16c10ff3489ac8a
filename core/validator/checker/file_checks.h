// The checks that read the file and run none of its code. Each is performed for the id in performers.cpp.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_elf_kind(Subject& subject);
Finding check_note(Subject& subject);
Finding check_entry_symbol(Subject& subject);
Finding check_exports(Subject& subject);
Finding check_unique_symbols(Subject& subject);
Finding check_code_and_stack(Subject& subject);
Finding check_binding(Subject& subject);
Finding check_run_paths(Subject& subject);
Finding check_names_of_libraries(Subject& subject);
Finding check_build_id(Subject& subject);
Finding check_file_trust(Subject& subject);

}  // namespace pganalytics::validator
