// The delivery side of the spool, as core/transport sees it. [delivery thread; implementations are thread-safe against sealing]
//
// A batch that next() handed out may have reached the server until it has ended (acknowledge, set_aside, split, rekey) or is
// held: no cap drops it meanwhile, after a SIGKILL neither. PGA_E_NOTFOUND ("spool.batch") from any of them: no such batch waits.
// PGA_E_TRANSIENT: the disk does not do it now; nothing has changed, ask again later. One corner: what a disk that hangs had
// begun
// ("spool.busy") cannot be taken back and may come about yet. An end that did is PGA_E_NOTFOUND to whoever asks again, and a
// batch is not held.
#pragma once

#include "core/spool/batch.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

// Newest first, so that what is seen is fresh; oldest first, so that nothing is forgotten.
enum class Lane { kLive, kBacklog };

class Outbox {
 public:
  virtual ~Outbox() = default;
  // The batch to send next in this lane, the same one again until it has ended or is held; nullopt: nothing waits for this lane.
  // The two lanes never hold the same batch. After a restart those come first whose fate is not known.
  virtual Expected<std::optional<Batch>> next(Lane lane) = 0;
  // The server said no, so it is not stored there: next() passes it over until release(), and caps may drop it.
  virtual Outcome hold(const BatchKey& key) = 0;
  // One that is gone meanwhile is released already.
  virtual void release(const BatchKey& key) = 0;
  // The server has it durably: forget it.
  virtual Outcome acknowledge(const BatchKey& key) = 0;
  // The server will never take it: its documents count as lost for `reason` ("poison", "too_large").
  virtual Outcome set_aside(const BatchKey& key, const std::string& reason) = 0;
  // 413: two halves, by documents, take its place, as one transaction; their parts are "…/0" and "…/1". False: it has one
  // document only, or was halved kPartDepthMax times.
  virtual Expected<bool> split(const BatchKey& key) = 0;
  // 422 key_conflict: the server has other content under this key (a clone, a snapshot that was gone back to). This batch alone
  // is sealed again, in a new epoch, which all later seals use too; the others keep their keys, because the server may have them.
  virtual Outcome rekey(const BatchKey& key) = 0;
};

}  // namespace pganalytics::spool
