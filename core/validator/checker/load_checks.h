// The checks of loading a plugin, of its entry function and of the tables it returns: no instance is made.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_symbols_resolve(Subject& subject);
Finding check_libraries(Subject& subject);
Finding check_load_time_and_output(Subject& subject);
Finding check_entry_is_pure(Subject& subject);
Finding check_load_side_effects(Subject& subject);
Finding check_tables(Subject& subject);
Finding check_host_minors(Subject& subject);

}  // namespace pganalytics::validator
