// A thread that asks once a second who was revoked, by this server, another one, or the command line, and closes what they have
// open.
//
// Its own thread, because housekeeping may be busy for longer than the five seconds that are promised. While the database is away
// nobody is let in for more than two seconds either (core/server/api/access.cpp).
#pragma once

#include "core/server/api/api.h"
#include "core/server/http/https_server.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace pganalytics::server::program {

class RevocationWatch {
 public:
  // Both outlive it.
  RevocationWatch(api::Api& api, http::HttpsServer& server);
  ~RevocationWatch() { stop(); }
  void stop();  // once the running look is over; twice is once

 private:
  void look();
  void look_until_stopped();

  api::Api& api_;
  http::HttpsServer& server_;
  std::mutex mutex_;
  std::condition_variable stopped_early_;
  bool stopping_ = false;
  bool failing_ = false;
  std::thread thread_;
};

}  // namespace pganalytics::server::program
