// What is in a sealed batch, for those that do not send it as it is. Pure. [any thread]
#pragma once

#include "core/spool/batch.h"

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::spool {

// Byte for byte as they were sealed. PGA_E_FAIL: it is damaged or none of ours; PGA_E_LIMIT: it is more than a run may have.
Expected<std::vector<std::string>> documents_in(const Batch& batch);

}  // namespace pganalytics::spool
