// The checks of a process that runs short: of memory, of descriptors, of undisturbed time.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_shortages(Subject& subject);
Finding check_failing_allocations(Subject& subject);

}  // namespace pganalytics::validator
