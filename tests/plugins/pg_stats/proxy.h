// Between the plugin and a real server: passes one connection after the other on, and meddles where a test asks for it.
//
// Its socket lies in a folder of its own. One connection at a time: configure "connections_max": 1.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/postgres_server.h"
#include "tests/support/temporary_folder.h"

namespace pganalytics::testing {

class Proxy {
 public:
  // May change a connection's start-up packet, or return the answer that the client gets instead of the server's. On the
  // proxy's thread.
  using Opening = std::function<std::optional<std::string>(std::string& packet)>;

  explicit Proxy(const PostgresServer& server, Opening opening = nullptr);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  enum class Then { kGoOn, kStall };  // kStall: the client gets nothing more on this connection, which stays open
  // Once: when the server sends `text`, before anything behind it is passed on. `what` runs on the proxy's thread.
  void when_sent(std::string text, std::function<Then()> what);
  [[nodiscard]] bool has_happened();  // what when_sent() waited for

  [[nodiscard]] std::string conninfo(const std::string& dbname = "postgres", const std::string& user = "postgres") const;

 private:
  void serve();
  void pass_on(int client);
  bool pump(int client, int server);
  Then watch(std::string& data, std::string& behind);

  const PostgresServer& server_;
  const Opening opening_;
  TemporaryFolder folder_;
  int listener_ = -1;
  std::mutex mutex_;  // the two below
  std::string awaited_;
  std::function<Then()> what_;
  std::string recent_;  // the end of what the server has sent: a text may come in two pieces
  bool stalled_ = false;
  std::thread thread_;
};

}  // namespace pganalytics::testing
