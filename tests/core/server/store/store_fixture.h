// A store over a database of its own, on a real PostgreSQL that all tests of the program share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/server/store/store.h"
#include "tests/support/postgres_server.h"

namespace pganalytics::testing {

class StoreFixture {
 public:
  StoreFixture();  // creates the database, opens the store

  [[nodiscard]] server::store::Store& store() { return *store_; }
  [[nodiscard]] PostgresServer& server();
  [[nodiscard]] const std::string& database() const { return database_; }
  [[nodiscard]] std::string conninfo() { return server().conninfo(database_); }
  [[nodiscard]] std::unique_ptr<server::store::Store> open_again(unsigned connections = 8);
  [[nodiscard]] std::string value(const std::string& sql) { return server().value(database_, sql); }

  // No entry can be written into the audit log, as on a full disk.
  void make_audit_fail();
  void make_audit_work();

  // A collector that has enrolled with a token of its own.
  [[nodiscard]] std::string enrol(const std::string& name = "db1");
  // Add a token and return its hash.
  [[nodiscard]] std::string token(std::uint32_t uses = 1, std::int64_t ttl_ms = 3'600'000, const std::string& glob = "");
  // Every document of the collector, page by page.
  [[nodiscard]] std::vector<server::store::StoredDocument> read_all(const std::string& collector_id, std::uint32_t limit = 1000);

 private:
  std::string database_;
  std::unique_ptr<server::store::Store> store_;
};

// A push with one document per text, timestamps a second apart, type "disk". The texts must outlive it.
server::store::Push push_of(const std::string& collector_id, std::uint64_t seq, const std::vector<std::string>& texts);

constexpr char kEpoch[] = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t kStart = 1'770'091'445'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

// Run `work(i)` on `count` threads that start together.
void together(int count, const std::function<void(int)>& work);

}  // namespace pganalytics::testing
