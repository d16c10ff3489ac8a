// The checks of an instance's life: made, configured, called from any thread, destroyed.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_extensions(Subject& subject);
Finding check_nothing_is_left(Subject& subject);
Finding check_destroy_at_any_time(Subject& subject);
Finding check_configurations_accepted(Subject& subject);
Finding check_threads(Subject& subject);
Finding check_nothing_escapes(Subject& subject);

}  // namespace pganalytics::validator
