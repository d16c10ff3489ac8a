// The checks of deadlines, cancels, clocks that jump and targets that do not answer.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_deadline(Subject& subject);
Finding check_cancel(Subject& subject);
Finding check_silent_target(Subject& subject);
Finding check_clock_jumps(Subject& subject);

}  // namespace pganalytics::validator
