#include "tests/plugins/pg_stats/proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>

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

Proxy::Proxy(const PostgresServer& server, Opening opening) : server_(server), opening_(std::move(opening)) {
  const sockaddr_un address = address_in(folder_.path(), server.port());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener_, 8) != 0) {
    throw std::runtime_error("proxy: cannot listen");
  }
  thread_ = std::thread([this] { serve(); });
}

Proxy::~Proxy() {
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string Proxy::conninfo(const std::string& dbname, const std::string& user) const {
  return "host=" + folder_.path() + " port=" + std::to_string(server_.port()) + " user=" + user + " dbname=" + dbname;
}

void Proxy::when_sent(std::string text, std::function<Then()> what) {
  const std::lock_guard lock(mutex_);
  awaited_ = std::move(text);
  what_ = std::move(what);
}

bool Proxy::has_happened() {
  const std::lock_guard lock(mutex_);
  return !what_;
}

void Proxy::serve() {
  for (int client = accept(listener_, nullptr, nullptr); client >= 0; client = accept(listener_, nullptr, nullptr)) {
    pass_on(client);
    close(client);
  }
}

void Proxy::pass_on(int client) {
  std::string packet = read_some(client);  // libpq sends the start-up packet in one piece
  if (const auto answer = opening_ ? opening_(packet) : std::nullopt) {
    write_all(client, *answer);
    return;
  }
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_in(server_.socket_dir(), server_.port());
  recent_.clear();
  stalled_ = false;
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && write_all(server, packet)) {
    while (pump(client, server)) continue;
  }
  close(server);
}

// Whatever either side says, to the other; false when one has hung up.
bool Proxy::pump(int client, int server) {
  pollfd ends[] = {{client, POLLIN, 0}, {stalled_ ? -1 : server, POLLIN, 0}};
  if (poll(ends, 2, -1) <= 0) return false;
  if (ends[0].revents != 0) {
    const std::string data = read_some(client);
    if (data.empty() || !write_all(server, data)) return false;
  }
  if (ends[1].revents == 0) return true;
  std::string data = read_some(server), behind;
  if (data.empty()) return false;
  stalled_ = watch(data, behind) == Then::kStall;
  return write_all(client, data) && (stalled_ || write_all(client, behind));
}

// `data` is cut behind the text that is awaited, and the text's event happens.
Proxy::Then Proxy::watch(std::string& data, std::string& behind) {
  std::function<Then()> what;
  {
    const std::lock_guard lock(mutex_);
    if (!what_) return Then::kGoOn;
    const std::size_t before = recent_.size();
    recent_ += data;
    const std::size_t at = recent_.find(awaited_);
    if (at == std::string::npos) {
      recent_.erase(0, recent_.size() - std::min(recent_.size(), awaited_.size() - 1));
      return Then::kGoOn;
    }
    const std::size_t passed = at + awaited_.size() - before;
    behind = data.substr(passed);
    data.resize(passed);
    what = std::exchange(what_, nullptr);
  }
  return what();
}

}  // namespace pganalytics::testing
