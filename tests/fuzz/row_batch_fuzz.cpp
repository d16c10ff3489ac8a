// The rows of a document, by the families of a schema, both foreign, as PostgreSQL is given them: the input is as
// family_rows_fuzz's. What is in the batch is text that PostgreSQL takes, COPY's lines and points are whole, JSON stays
// JSON, and a document that is taken back leaves nothing.
// links: pganalytics::server_store
#include "core/server/store/row_batch.h"

#include "core/schema/schema.h"
#include "core/server/store/jsonb_text.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

using namespace pganalytics;
using schema::Schema;
using server::store::RowBatch;
using server::store::StoredFamily;

namespace {

constexpr std::size_t kPointBytes = 58;  // the least: one field

void require(bool promise) {
  if (!promise) std::abort();
}

bool is_storable(std::string_view text) { return text.find('\0') == std::string_view::npos && is_utf8(text); }

std::vector<StoredFamily> stored(const schema::Families& families) {
  const auto behind_the_first = [](std::size_t count) {
    std::vector<std::uint32_t> places(count);
    std::iota(places.rbegin(), places.rend(), 1);  // the database has them in another order, and one before
    return places;
  };
  std::vector<StoredFamily> all;
  for (const schema::Family& family : families.all()) {
    StoredFamily one;
    one.id = static_cast<std::int32_t>(all.size() + 1);
    one.is_events = family.is_events;
    one.labels = behind_the_first(family.labels.size());
    one.fields = behind_the_first(family.fields.size());
    one.facts = behind_the_first(family.facts.size());
    all.push_back(std::move(one));
  }
  return all;
}

void check(RowBatch& batch) {
  for (const RowBatch::Series& series : batch.series()) {
    for (const auto& [is_there, text] : batch.texts(series.labels, series.labels_end)) {
      require(is_storable(text) && text.size() <= server::store::kLabelBytes && (is_there || text.empty()));
    }
    for (const auto& [is_there, text] : batch.texts(series.facts, series.facts_end)) require(is_storable(text));
  }
  const std::string& events = batch.events();
  require(is_storable(events) && (events.empty() || events.back() == '\n'));
  require(std::count(events.begin(), events.end(), '\t') == 4 * std::count(events.begin(), events.end(), '\n'));
  const std::size_t points = batch.points();
  require(points == 0 || !batch.point_times_us().empty());
  const std::string_view copy = batch.finish_points(std::vector<std::int64_t>(batch.series().size(), 1));
  require(copy.size() >= points * kPointBytes);
}

// JSON that RapidJSON takes is JSON afterwards, with nothing in it that jsonb refuses.
void check_jsonb(std::string_view json) {
  rapidjson::Document document;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
  if (document.Parse<kFlags>(json.data(), json.size()).HasParseError()) return;
  const auto text = server::store::jsonb_text(json);
  if (!text) return;
  require(!document.Parse<kFlags>(text.value().data(), text.value().size()).HasParseError());
  const auto again = server::store::jsonb_text(text.value());
  require(again && again.value() == text.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t parting = input.find('\xFF');
  if (parting == std::string_view::npos) return 0;
  const std::string_view document = input.substr(parting + 1);
  if (!is_utf8(document)) return 0;  // the envelope's reader has refused it
  check_jsonb(document);
  const auto output = Schema::parse(input.substr(0, parting), Schema::Purpose::kOutput);
  if (!output) return 0;
  const auto families = schema::Families::compile(output.value().document(), "acme");
  if (!families) return 0;
  const auto where = stored(families.value());
  schema::FamilyRows reader(families.value());
  RowBatch batch("6f9619ff-8b86-4d11-b42d-00c04fc964ff");
  const auto add = [&] {
    return reader.read(document,
                       [&](const schema::FamilyRow& row) { return batch.add(where[row.family], row, 1'770'091'445'000'000); });
  };
  const RowBatch::Mark empty = batch.mark();
  static_cast<void>(add());
  const std::size_t points = batch.points(), series = batch.series().size(), events = batch.events().size();
  batch.take_back(empty);
  require(batch.points() == 0 && batch.series().empty() && batch.events().empty());
  const RowBatch::Mark before = batch.mark();
  const Outcome added = add();
  require(batch.points() == points && batch.series().size() == series && batch.events().size() == events);
  if (!added) batch.take_back(before);
  check(batch);
  return 0;
}
