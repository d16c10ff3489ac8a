// The live connections: how many there may be, in all, of one address and of one collector, how to reach them, and when the last
// one is gone.
//
// Here: numbers and references. Not here: sockets (session.cpp), accepting (https_server.cpp). [any thread]
#pragma once

#include "core/server/http/limits.h"
#include "core/server/http/refusals.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace pganalytics::server::http {

class Connections {
  struct Entry;

 public:
  struct Member {
    virtual ~Member() = default;
    virtual void drain() = 0;  // finish the running request, then close
    virtual void abort() = 0;  // close now
  };

  // A connection's room among the others, from accept to its end; given back by the destructor.
  class Place {
   public:
    Place(Place&& other) noexcept : all_(std::exchange(other.all_, nullptr)), entry_(other.entry_) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Place& operator=(Place&&) = delete;
    ~Place();

    void attach(const std::shared_ptr<Member>& member);  // from now on it can be reached
    void belongs_to(const std::string& collector_id);    // its certificate says so
    // It counts as a stranger of its address no more, and among those of its collector if it has one. False, and nothing
    // changes, if they are as many as there may be.
    [[nodiscard]] bool authenticated();

   private:
    friend class Connections;
    Place(Connections* all, std::list<Entry>::iterator entry) : all_(all), entry_(entry) {}
    Connections* all_;
    std::list<Entry>::iterator entry_;
  };

  // For those that come, or authenticate, from now on.
  void use(const Limits& limits);

  explicit Connections(const Limits& limits)
      : most_(limits.connections),
        most_strangers_(limits.strangers_per_address),
        most_members_(limits.connections_per_collector) {}

  // A place for a connection from `address`, or why there is none.
  std::optional<Place> admit(const std::string& address, Refusal& why_not);

  [[nodiscard]] std::size_t count() const;
  void for_each(const std::function<void(Member&)>& visit) const;
  void for_each_of(const std::string& collector_id, const std::function<void(Member&)>& visit) const;
  bool wait_until_empty(std::int64_t timeout_ms);

 private:
  struct Entry {
    std::weak_ptr<Member> member;
    std::string network, collector_id;
    bool is_stranger = true;
  };
  using Counts = std::unordered_map<std::string, std::size_t>;
  static void drop_one(Counts& counts, const std::string& of);

  std::size_t most_, most_strangers_, most_members_;
  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  std::list<Entry> entries_;
  Counts strangers_;  // of each network
  Counts members_;    // authenticated ones of each collector
};

}  // namespace pganalytics::server::http
