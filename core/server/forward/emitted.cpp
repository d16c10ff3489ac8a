#include "core/server/forward/emitted.h"

#include "core/instance/instance_name.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <utility>

namespace pganalytics::server::forward {
namespace {

// The text of the member `instance` of the outermost object. It ends the reading as soon as it has it.
class InstanceFinder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, InstanceFinder> {
 public:
  bool Default() { return !std::exchange(is_next_, false); }  // a number is no name
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return Default(); }
  bool StartObject() { return enter(); }
  bool EndObject(rapidjson::SizeType) { return leave(); }
  bool StartArray() { return enter(); }
  bool EndArray(rapidjson::SizeType) { return leave(); }
  bool Key(const char* name, rapidjson::SizeType length, bool) {
    is_next_ = depth_ == 1 && std::string_view(name, length) == "instance";
    return true;
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (!is_next_) return true;
    found_.assign(text, length);
    return false;
  }
  [[nodiscard]] const std::string& found() const { return found_; }

 private:
  bool enter() {
    ++depth_;
    return !std::exchange(is_next_, false);
  }
  bool leave() {
    --depth_;
    return true;
  }
  int depth_ = 0;
  bool is_next_ = false;
  std::string found_;
};

}  // namespace

std::string instance_of(const std::string& type, std::string_view document) {
  rapidjson::MemoryStream stream(document.data(), document.size());
  rapidjson::Reader reader;
  InstanceFinder finder;
  reader.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag>(stream, finder);
  if (finder.found().empty()) return type;
  std::string whole = type + "@" + finder.found();
  return instance::check_suffix(whole) ? whole : type;
}

std::vector<exporters::Emitted> emitted_of(const store::ForwardPush& push, std::vector<store::ForwardDocument> documents) {
  std::vector<exporters::Emitted> emitted;
  for (store::ForwardDocument& document : documents) {
    const std::string instance = instance_of(document.type, document.text);
    auto place = std::find_if(emitted.begin(), emitted.end(), [&](const auto& one) { return one.instance == instance; });
    if (place == emitted.end()) {
      place = emitted.insert(emitted.end(), {push.collector, instance, {}, push.received_unix_ns});
    }
    place->documents.push_back(std::move(document.text));
  }
  return emitted;
}

}  // namespace pganalytics::server::forward
