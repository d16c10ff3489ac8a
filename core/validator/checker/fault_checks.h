// The checks of a host that refuses, forgets, is older or newer, and watches its memory.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_refused_documents(Subject& subject);
Finding check_refused_state(Subject& subject);
Finding check_lost_run(Subject& subject);
Finding check_other_hosts(Subject& subject);
Finding check_memory_bounds(Subject& subject);
Finding check_borrows(Subject& subject);

}  // namespace pganalytics::validator
