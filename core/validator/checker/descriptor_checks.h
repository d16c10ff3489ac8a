// The checks of what a plugin says of itself: names, version, license, schemas.
#pragma once

#include "core/validator/checker/subject.h"

namespace pganalytics::validator {

Finding check_descriptor(Subject& subject);
Finding check_schemas(Subject& subject);

}  // namespace pganalytics::validator
