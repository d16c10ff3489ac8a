// Opens a damaged spool as the collector does and says whether every promise was kept.
#pragma once

#include "tests/core/spool/sweep/specimen.h"

#include <string>

namespace pganalytics::spool_sweep {

struct Verdict {
  std::string wrong;                   // what promise was broken; "": none
  bool salvaged = false;               // the spool found the damage when it was opened
  std::uint64_t served = 0, lost = 0;  // batches that came out as they went in; documents counted as lost
};

struct Expectation {
  bool counts_exactly = true;  // false: nothing is left that knows how much there was
  bool knows_ledger = true;    // false: nothing knows how much the rows of the loss ledger told
  bool loses_nothing = false;
  bool drain = false;  // through next() and acknowledge() to the last batch, then seal; else the file is read beside the spool
};

// `dir` holds the damaged files.
Verdict judge(const std::string& dir, const Truth& truth, const Expectation& expected);

}  // namespace pganalytics::spool_sweep
