// The rows of a document, by the families of a schema, both foreign: the input is a schema, a byte 0xFF, which is in no JSON, and
// a document. What comes out lies within the document or is a number of it, and the same reader gives the same again.
// links: pganalytics::schema
#include "core/schema/family_rows.h"

#include "core/schema/schema.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pganalytics;
using schema::Schema;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

std::string written(const schema::Families& families, schema::FamilyRows& reader, std::string_view document) {
  std::string all;
  const Outcome read = reader.read(document, [&](const schema::FamilyRow& row) -> Outcome {
    require(row.family < families.all().size());
    const schema::Family& family = families.all()[row.family];
    all += family.name + std::string(row.time);
    for (std::size_t i = 0; i < family.labels.size(); ++i) all += std::string(row.labels[i]) + "\n";
    for (std::size_t i = 0; i < family.fields.size(); ++i) all += std::to_string(row.fields[i]) + "\n";
    for (std::size_t i = 0; i < family.facts.size(); ++i) all += std::string(row.facts[i]) + "\n";
    if (family.is_events) require(!row.json.empty() && row.json.front() == '{' && row.json.back() == '}');
    require(row.json.empty() == !family.is_events);
    return {};
  });
  if (!read) require(all.empty());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t parting = input.find('\xFF');
  if (parting == std::string_view::npos) return 0;
  const auto output = Schema::parse(input.substr(0, parting), Schema::Purpose::kOutput);
  if (!output) return 0;
  const auto families = schema::Families::compile(output.value().document(), "acme");
  if (!families) return 0;
  schema::FamilyRows reader(families.value());
  const std::string_view document = input.substr(parting + 1);
  const std::string once = written(families.value(), reader, document);
  written(families.value(), reader, document.substr(0, document.size() / 2));
  require(written(families.value(), reader, document) == once);
  return 0;
}
