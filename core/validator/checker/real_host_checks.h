// The checks that ask the real host: its supervisor, its worker and the sandbox that the plugin's needs yield.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_orderly_end(Subject& subject);
Finding check_sandbox(Subject& subject);

}  // namespace pganalytics::validator
