// The checks of what a healthy run emits and logs.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_documents_are_json(Subject& subject);
Finding check_documents_fit_schema(Subject& subject);
Finding check_counters_grow(Subject& subject);
Finding check_gauges_are_gauges(Subject& subject);
Finding check_silence_is_allowed(Subject& subject);
Finding check_secrets_stay(Subject& subject);
Finding check_log_discipline(Subject& subject);
Finding check_hostile_files(Subject& subject);
Finding check_cost_of_runs(Subject& subject);

}  // namespace pganalytics::validator
