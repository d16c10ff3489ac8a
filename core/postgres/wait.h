// How this folder waits: poll(2) on libpq's socket beside the cancel fd, never longer than the deadline.
//
// Internal to core/postgres. Not here: what to do when time is up (connection.cpp).
#pragma once

#include <cstdint>

#include "core/postgres/connection.h"

namespace pganalytics::postgres {

enum class Wake { kReady, kDeadline, kCancelled, kFailed };

struct Woken {
  Wake why;
  bool readable;  // for kReady; a hangup counts, since reading is how libpq learns of it
};

// `events`: POLLIN, POLLOUT or both. kFailed: poll(2) itself failed, errno says why.
Woken wait_for(int socket, short events, const Deadline& deadline);

std::int64_t monotonic_now();  // CLOCK_MONOTONIC, nanoseconds

}  // namespace pganalytics::postgres
