// The checks of configurations: odd ones, tried ones, failed ones, one after another, two beside each other.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_odd_configurations(Subject& subject);
Finding check_dry_run(Subject& subject);
Finding check_failed_reconfiguration(Subject& subject);
Finding check_many_reconfigurations(Subject& subject);
Finding check_two_instances(Subject& subject);

}  // namespace pganalytics::validator
