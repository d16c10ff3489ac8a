// Between the plugin and a real server: passes connections on, and meddles where a test asks for it.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/postgres_server.h"
#include "tests/support/temporary_folder.h"

namespace pganalytics::testing {

class Proxy {
 public:
  // May change a connection's start-up packet, or return the answer that the client gets instead of the server's. On a thread
  // of the proxy's.
  using Opening = std::function<std::optional<std::string>(std::string& packet)>;

  explicit Proxy(const PostgresServer& server, Opening opening = nullptr);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  // kStall: the client gets nothing more on this connection, which stays open; kHangUp: it is closed.
  enum class Then { kGoOn, kStall, kHangUp };
  // Once: when the server sends `text`, before anything behind it is passed on. `what` runs on a thread of the proxy's.
  void when_sent(std::string text, std::function<Then()> what);
  [[nodiscard]] bool has_happened() const { return happened_; }  // `what` is over

  [[nodiscard]] std::string conninfo(const std::string& dbname = "postgres", const std::string& user = "postgres") const;

 private:
  class Passage;  // one connection
  void serve();
  std::function<Then()> what_to_do_about(std::string& recent, std::string_view data, std::size_t& passed);

  const PostgresServer& server_;
  const Opening opening_;
  TemporaryFolder folder_;
  int listener_ = -1;
  int ending_[2] = {-1, -1};  // a pipe: hung up when the proxy ends
  std::mutex mutex_;          // the two below
  std::string awaited_;
  std::function<Then()> what_;
  std::atomic<bool> happened_{false};
  std::thread thread_;
};

}  // namespace pganalytics::testing
