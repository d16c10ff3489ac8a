#include "tests/core/server/store/store_fixture.h"

#include <atomic>
#include <thread>

#include "core/crypto/digest.h"
#include "tests/support/must.h"

namespace pganalytics::testing {

StoreFixture::StoreFixture() : database_(server().new_database()), store_(open_again()) {}

PostgresServer& StoreFixture::server() { return PostgresServer::shared(); }

std::unique_ptr<server::store::Store> StoreFixture::open_again(unsigned connections) {
  return must(server::store::Store::open({conninfo(), connections}));
}

void StoreFixture::make_audit_fail() {
  server().sql(database_, R"(
    create or replace function pganalytics.fail() returns trigger language plpgsql as $$
      begin raise exception 'no space left' using errcode = 'disk_full'; end $$;
    create trigger fail before insert on pganalytics.audit for each row execute function pganalytics.fail())");
}
void StoreFixture::make_audit_work() { server().sql(database_, "drop trigger fail on pganalytics.audit"); }

std::string StoreFixture::token(std::uint32_t uses, std::int64_t ttl_ms, const std::string& glob) {
  std::string hash = crypto::sha256_hex(crypto::random_bytes(20));
  must(store_->add_registration_token(hash, uses, ttl_ms, glob));
  return hash;
}

std::string StoreFixture::enrol(const std::string& name) {
  return must(store_->enrol_collector(token(), name, name + ".example", crypto::uuid_v4(), crypto::sha256_hex(name)));
}

std::vector<server::store::StoredDocument> StoreFixture::read_all(const std::string& collector_id, std::uint32_t limit) {
  std::vector<server::store::StoredDocument> all;
  server::store::MetricsQuery query;
  query.collector_id = collector_id;
  query.limit = limit;
  do {
    auto page = must(store_->metrics(query));
    for (auto& document : page.documents) all.push_back(std::move(document));
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  return all;
}

server::store::Push push_of(const std::string& collector_id, std::uint64_t seq, const std::vector<std::string>& texts) {
  server::store::Push push;
  push.collector_id = collector_id;
  push.epoch = kEpoch;
  push.seq = seq;
  push.hostname = "db1.example";
  push.version = "0.1.0";
  std::string whole;
  for (const std::string& text : texts) {
    const auto index = static_cast<std::uint32_t>(push.documents.size());
    push.documents.push_back({"disk", kStart + index * kSecond, index, text});
    whole += text;
  }
  push.digest_sha256 = crypto::sha256_hex(whole);
  return push;
}

void together(int count, const std::function<void(int)>& work) {
  std::atomic<int> waiting{count};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pganalytics::testing
