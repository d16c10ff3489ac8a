// The bodies that are on their way: how many the server waits for, in all, of callers that have not authenticated, and of one
// address of theirs. Who holds a place may be slow; so a few strangers must not hold them all.
//
// A collector needs no share of its own: its connections are counted (connections.h) and each waits for one body. [any thread]
#pragma once

#include "core/server/http/limits.h"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace pganalytics::server::http {

class Bodies {
 public:
  // Room for one body, given back by the destructor. The Bodies outlive it.
  class Place {
   public:
    Place(Place&& other) noexcept : all_(std::exchange(other.all_, nullptr)), network_(std::move(other.network_)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (all_ != nullptr) all_->give_back(network_);
    }

   private:
    friend class Bodies;
    Place(Bodies* all, std::optional<std::string> network) : all_(all), network_(std::move(network)) {}
    Bodies* all_;
    std::optional<std::string> network_;  // of a stranger
  };

  explicit Bodies(const Limits& limits)
      : most_(limits.bodies), most_of_strangers_(limits.stranger_bodies), most_of_network_(limits.stranger_bodies_per_address) {}

  // For the bodies to come.
  void use(const Limits& limits) {
    const std::lock_guard lock(mutex_);
    most_ = limits.bodies;
    most_of_strangers_ = limits.stranger_bodies;
    most_of_network_ = limits.stranger_bodies_per_address;
  }

  // `stranger_network`: of a caller that has not authenticated. Nothing: there are as many as there may be.
  std::optional<Place> admit(std::optional<std::string> stranger_network) {
    const std::lock_guard lock(mutex_);
    if (count_ >= most_) return std::nullopt;
    if (stranger_network) {
      const auto known = of_network_.find(*stranger_network);
      if (of_strangers_ >= most_of_strangers_ || (known != of_network_.end() && known->second >= most_of_network_)) {
        return std::nullopt;
      }
      ++of_strangers_;
      ++of_network_[*stranger_network];
    }
    ++count_;
    return Place(this, std::move(stranger_network));
  }

 private:
  void give_back(const std::optional<std::string>& stranger_network) {
    const std::lock_guard lock(mutex_);
    --count_;
    if (!stranger_network) return;
    --of_strangers_;
    const auto found = of_network_.find(*stranger_network);
    if (--found->second == 0) of_network_.erase(found);
  }

  std::size_t most_, most_of_strangers_, most_of_network_;
  std::mutex mutex_;
  std::size_t count_ = 0, of_strangers_ = 0;
  std::unordered_map<std::string, std::size_t> of_network_;
};

}  // namespace pganalytics::server::http
