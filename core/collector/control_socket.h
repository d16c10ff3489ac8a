// The running collector's control socket: `status` and `plugin release` ask here.
//
// Nothing waits here: the loop polls fd() (which also becomes readable when `wake_fd` does), then calls turn(). A client gets one
// answer and 5 s in all; 16 at a time; who is neither root nor the collector's own user is told so and no more.
// Here: the Unix socket, its clients, their limits. Not here: what lines mean (control_protocol.h), what is answered (the
// handler, collector.cpp). [main thread]
#pragma once

#include "core/clock/clock.h"
#include "core/collector/control_protocol.h"
#include "core/host/process.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::collector {

class ControlSocket {
 public:
  // The result as JSON.
  using Handler = std::function<Expected<std::string>(const ControlRequest&)>;

  // Listens at `path`, mode 0600. A socket whose collector is gone is replaced. PGA_E_CONFIG: the path is too long, is something
  // else than a socket, or the socket of a collector that lives; other statuses: the system would not.
  static Expected<std::unique_ptr<ControlSocket>> open(const std::string& path, int wake_fd,
                                                       const clock::Clock& clock = clock::system_clock());
  ~ControlSocket();  // the socket's file goes too
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  [[nodiscard]] int fd() const { return epoll_.get(); }
  // Take what has arrived, answer what is complete, write what fits, give up who is too slow. Never blocks.
  void turn(const Handler& handler);
  // At most `longest_ms`, and no longer than the slowest client has left.
  [[nodiscard]] std::int64_t wait_ms(std::int64_t longest_ms) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Client {
    host::Descriptor socket;
    std::string received, unsent;
    std::int64_t deadline_ns = 0;
  };

  ControlSocket(std::string path, host::Descriptor listener, host::Descriptor epoll, const clock::Clock& clock)
      : path_(std::move(path)), listener_(std::move(listener)), epoll_(std::move(epoll)), clock_(clock) {}
  void accept_clients();
  // False: done with this one.
  bool serve(Client& client, const Handler& handler);
  bool send_rest(Client& client);
  void give_up_slow_ones();

  std::string path_;
  host::Descriptor listener_, epoll_;
  const clock::Clock& clock_;
  std::map<int, Client> clients_;  // by their descriptor
};

}  // namespace pganalytics::collector
