#include "tests/plugins/pg_stats/proxy.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

namespace pganalytics::testing {
namespace {

sockaddr_un address_in(const std::string& folder, int port) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%d", folder.c_str(), port);
  return address;
}

bool write_all(int to, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = send(to, data.data(), data.size(), MSG_NOSIGNAL);
    if (written <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// "": it has hung up.
std::string read_some(int from) {
  char buffer[65536];
  const ssize_t length = read(from, buffer, sizeof buffer);
  return {buffer, static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

}  // namespace

class Proxy::Passage {
 public:
  Passage(Proxy& proxy, int client) : proxy_(proxy), client_(client) {}
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;
  ~Passage() {
    close(client_);
    close(server_);
  }

  void run() {
    std::string packet = read_some(client_);  // libpq sends the start-up packet in one piece
    if (const auto answer = proxy_.opening_ ? proxy_.opening_(packet) : std::nullopt) {
      write_all(client_, *answer);
      return;
    }
    server_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_in(proxy_.server_.socket_dir(), proxy_.server_.port());
    if (connect(server_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    if (!write_all(server_, packet)) return;
    while (pump()) continue;
  }

 private:
  // Whatever either side says, to the other; false when one has hung up.
  bool pump() {
    pollfd ends[] = {{client_, POLLIN, 0}, {stalled_ ? -1 : server_, POLLIN, 0}, {proxy_.ending_[0], POLLIN, 0}};
    if (poll(ends, 3, -1) <= 0 || ends[2].revents != 0) return false;
    if (ends[0].revents != 0) {
      const std::string data = read_some(client_);
      if (data.empty() || !write_all(server_, data)) return false;
    }
    if (ends[1].revents == 0) return true;
    const std::string data = read_some(server_);
    return !data.empty() && to_client(data);
  }

  bool to_client(std::string_view data) {
    std::size_t passed = data.size();
    const auto what = proxy_.what_to_do_about(recent_, data, passed);
    if (!write_all(client_, data.substr(0, passed))) return false;
    if (what) {
      const Then then = what();
      stalled_ = then == Then::kStall;
      proxy_.happened_ = true;
      if (then == Then::kHangUp) return false;
    }
    return stalled_ || write_all(client_, data.substr(passed));
  }

  Proxy& proxy_;
  const int client_;
  int server_ = -1;
  std::string recent_;  // the end of what the server has sent: a text may come in two pieces
  bool stalled_ = false;
};

Proxy::Proxy(const PostgresServer& server, Opening opening) : server_(server), opening_(std::move(opening)) {
  const sockaddr_un address = address_in(folder_.path(), server.port());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener_, 8) != 0 ||
      pipe2(ending_, O_CLOEXEC) != 0) {
    throw std::runtime_error("proxy: cannot listen");
  }
  thread_ = std::thread([this] { serve(); });
}

Proxy::~Proxy() {
  shutdown(listener_, SHUT_RDWR);
  close(ending_[1]);
  thread_.join();
  close(ending_[0]);
  close(listener_);
}

std::string Proxy::conninfo(const std::string& dbname, const std::string& user) const {
  return "host=" + folder_.path() + " port=" + std::to_string(server_.port()) + " user=" + user + " dbname=" + dbname;
}

void Proxy::when_sent(std::string text, std::function<Then()> what) {
  const std::lock_guard lock(mutex_);
  awaited_ = std::move(text);
  what_ = std::move(what);
  happened_ = false;
}

void Proxy::serve() {
  std::vector<std::thread> passages;
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) break;
    passages.emplace_back([this, client] { Passage(*this, client).run(); });
  }
  for (std::thread& passage : passages) passage.join();
}

// passed: how much of `data` ends with the text that is awaited.
std::function<Proxy::Then()> Proxy::what_to_do_about(std::string& recent, std::string_view data, std::size_t& passed) {
  const std::lock_guard lock(mutex_);
  if (!what_) return nullptr;
  const std::size_t before = recent.size();
  recent += data;
  if (const std::size_t at = recent.find(awaited_); at != std::string::npos) {
    passed = at + awaited_.size() - before;
    return std::exchange(what_, nullptr);
  }
  recent.erase(0, recent.size() - std::min(recent.size(), awaited_.size() - 1));
  return nullptr;
}

}  // namespace pganalytics::testing
