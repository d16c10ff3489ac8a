// Random operations on a real spool beside a model of twenty lines; after each one both must agree.
#include "core/spool/spool.h"
#include "tests/core/spool/spool_fixture.h"

#include <deque>
#include <random>

using namespace pganalytics;
using namespace pganalytics::spool_test;

namespace {

constexpr std::size_t kPayloadBytes = 300;

struct Model {
  struct Waiting {
    std::uint64_t seq, documents;
  };
  std::deque<Waiting> waiting;
  std::uint64_t last_seq = 0, produced = 0, acknowledged = 0, lost = 0;
  std::map<std::string, std::string> state;
  std::optional<std::uint64_t> in_flight;

  // The spool tells how much it dropped; the model checks that it dropped the oldest that may go.
  void dropped_to(std::uint64_t batches) {
    for (auto at = waiting.begin(); waiting.size() > batches;) {
      REQUIRE(at != waiting.end());
      if (at->seq == in_flight) {
        ++at;
        continue;
      }
      REQUIRE(at->seq != last_seq);
      lost += at->documents;
      at = waiting.erase(at);
    }
  }
  void finish(std::uint64_t seq, std::uint64_t& counter) {
    for (auto at = waiting.begin(); at != waiting.end(); ++at) {
      if (at->seq != seq) continue;
      counter += at->documents;
      waiting.erase(at);
      break;
    }
    if (in_flight == seq) in_flight.reset();
  }
};

void check_same(spool::Spool& spool, const Model& model) {
  const auto status = must(spool.status());
  CHECK(status.last_seq == model.last_seq);
  CHECK(status.produced_documents == model.produced);
  CHECK(status.acknowledged_documents == model.acknowledged);
  CHECK(status.lost_documents == model.lost);
  CHECK(status.waiting_batches == model.waiting.size());
  check_invariant(status);
  std::uint64_t in_ledger = 0;
  for (const auto& loss : must(spool.losses())) in_ledger += loss.documents;
  CHECK(in_ledger == model.lost);
  CHECK(must(spool.state_of("pg_stats")) == model.state);
}

void run_one(unsigned seed) {
  INFO("seed " << seed);
  const Folder folder;
  HandClock clock;
  auto options = options_with(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.max_bytes = 6000;
  options.max_age_ms = 60'000;
  auto spool = must(spool::Spool::open(folder.path(), options));
  Model model;
  std::mt19937 random(seed);
  for (int step = 0; step < 150; ++step) {
    clock.now += static_cast<std::int64_t>(random() % 8) * 1'000'000'000;
    const auto choice = random() % 10;
    if (choice < 5) {  // seal
      const std::uint64_t documents = random() % 4;
      auto run = run_of(std::vector<std::string>(documents, document(std::string(kPayloadBytes, 'x'))));
      run.state["cursor"] = model.state["cursor"] = std::to_string(step);
      const auto seq = must(spool->seal(std::move(run)));
      if (documents > 0) {
        REQUIRE(seq == ++model.last_seq);
        model.waiting.push_back({seq, documents});
        model.produced += documents;
      }
      model.dropped_to(must(spool->status()).waiting_batches);
    } else if (choice < 8) {  // deliver or set aside
      const auto batch = must(spool->next(spool::Lane::kBacklog));
      REQUIRE(batch.has_value() == !model.waiting.empty());
      if (batch) {
        REQUIRE(batch->key.seq == model.in_flight.value_or(model.waiting.front().seq));
        model.in_flight = batch->key.seq;
        if (choice == 5) must(spool->acknowledge(batch->key));
        if (choice == 5) model.finish(batch->key.seq, model.acknowledged);
        if (choice == 6) must(spool->set_aside(batch->key, "poison"));
        if (choice == 6) model.finish(batch->key.seq, model.lost);
      }
    } else if (choice == 8) {  // restart
      spool.reset();
      spool = must(spool::Spool::open(folder.path(), options));
    }
    check_same(*spool, model);
  }
}

}  // namespace

TEST_CASE("random seals, deliveries, losses and restarts keep the books balanced") {
  for (unsigned seed = 1; seed <= 12; ++seed) run_one(seed);
}
