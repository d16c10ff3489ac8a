/* fault_throw: lets exceptions cross a boundary that is C. */
#include "kit.h"

#include <stdexcept>

static pga_status throw_exception(const pga_run*, pga_error*) { throw std::runtime_error("an exception of a plugin"); }
static pga_status throw_number(const pga_run*, pga_error*) { throw 42; }

static const named_misdeed kMisdeeds[] = {{"throw", throw_exception}, {"throw_number", throw_number}, {nullptr, nullptr}};

FAULT_PLUGIN(kMisdeeds);
