#include "core/server/forward/forwarder.h"

#include "core/files/files.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace pganalytics::server::forward {
namespace {

Expected<std::string> bearer_header(const std::string& path) {
  PGA_CHECK(files::check_private_place(path));
  PGA_TRY(std::string token, files::read(path));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (!token.empty() && token.find_first_of("\r\n") == std::string::npos) return "Authorization: Bearer " + token;
  return Error{PGA_E_CONFIG, "forward.token", path + " is not a line with a token", "Write the token alone into it.", 0};
}

Expected<std::unique_ptr<exporters::Receiver>> open_receiver(const Destination& destination) {
  exporters::ExportTarget target;
  target.url = destination.receiver.url;
  target.ca_file = destination.receiver.ca_file;
  target.proxy = destination.receiver.proxy;
  target.headers = destination.receiver.headers;
  if (!destination.bearer_token_file.empty()) {
    PGA_TRY(std::string header, bearer_header(destination.bearer_token_file));
    target.headers.push_back(std::move(header));
  }
  target.user_agent = "pganalytics-server/" PGANALYTICS_VERSION;
  return exporters::Receiver::open(std::move(target));
}

}  // namespace

Expected<std::unique_ptr<Forwarder>> Forwarder::start(store::Store& store, const Destination& destination) {
  PGA_TRY(auto receiver, open_receiver(destination));
  const int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (cancel_fd < 0) return Error{PGA_E_FAIL, "forward", std::string("make an eventfd: ") + std::strerror(errno), "", 0};
  return std::unique_ptr<Forwarder>(new Forwarder(store, destination, std::move(receiver), cancel_fd));
}

Forwarder::Forwarder(store::Store& store, Destination destination, std::unique_ptr<exporters::Receiver> receiver, int cancel_fd)
    : store_(store), destination_(std::move(destination)), receiver_(std::move(receiver)), cancel_fd_(cancel_fd), thread_([this] {
        deliver_until_stopped();
      }) {}

Forwarder::~Forwarder() {
  stop();
  join();
  ::close(cancel_fd_);
}

void Forwarder::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_early_.notify_all();
  eventfd_write(cancel_fd_, 1);
  receiver_->interrupt();
}

void Forwarder::join() {
  if (thread_.joinable()) thread_.join();
}

void Forwarder::deliver_until_stopped() {
  Delivery delivery(store_, destination_, *receiver_, counters_, {cancel_fd_, stopping_});
  while (!stopping_) {
    const std::int64_t wait_ms = delivery.turn();
    std::unique_lock lock(mutex_);
    stopped_early_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return stopping_.load(); });
  }
}

Expected<Forwarders> start_forwarders(store::Store& store, const std::vector<Destination>& destinations) {
  Forwarders forwarders;
  for (const Destination& destination : destinations) {
    auto forwarder = Forwarder::start(store, destination);
    if (!forwarder) return std::move(forwarder).error().while_doing("forward." + destination.name);
    forwarders.push_back(std::move(forwarder).value());
  }
  return forwarders;
}

void stop(Forwarders& forwarders) {
  for (const auto& forwarder : forwarders) forwarder->stop();
  for (const auto& forwarder : forwarders) forwarder->join();
}

}  // namespace pganalytics::server::forward
