// What an answer says of what was sent: the words that every sender of this tree decides by.
//
// Here: a status in, a word out. Not here: bodies (refusal.h and each API's own reading), what follows from it. [any thread]
#pragma once

namespace pganalytics::web {

enum class Verdict {
  kAcknowledged,  // 2xx with our acknowledgement in the body (duplicate included); of receivers that have none, 2xx
  kRetry,         // no answer, 408, 425, 5xx, 2xx that is not ours: cannot tell or not now
  kBusy,          // 429: not so fast
  kInProgress,    // 409: the same batch is being stored by an earlier try of ours
  kRedirected,    // 3xx: something stands between us and the server; never followed
  kNotThisApi,    // 404, 405, 411, 415, 426, 501 ...: another server, or another version
  kUnauthorized,  // 401, also with a new token
  kForbidden,     // 403: we are not welcome
  kGone,          // 410: this collector is no more
  kRefused,       // 400, 422: the batch itself
  kKeyConflict,   // 422: the server has other content under this key
  kPartStored,    // 422: the server has a part of this batch
  kTooLarge,      // 413
};

// What a status other than 2xx says about the server or about us. 400, 409, 413 and 422 are about what was sent: their meaning is
// that of the API. 0: there was no answer.
Verdict verdict_of(int status);

}  // namespace pganalytics::web
