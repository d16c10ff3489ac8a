#include "core/schema/family_rows.h"

#include "core/schema/document_limits.h"
#include "core/schema/family_nodes.h"

#include <rapidjson/reader.h>

#include <charconv>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::schema {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

}  // namespace

// The handler of RapidJSON's reader: keeps what rows will need, and makes them when the document is over, because labels and
// times may stand behind what they are about.
class FamilyRows::Walk {
 public:
  explicit Walk(const Families& families) : compiled_(families.nodes()) {}

  Outcome read(std::string_view document, const std::function<Outcome(const FamilyRow&)>& on_row) {
    clear();
    document_ = document;
    text_.assign(document);
    rapidjson::InsituStringStream stream(text_.data());
    stream_ = &stream;
    rapidjson::Reader reader;
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
    const auto result = reader.Parse<kFlags>(stream, *this);
    if (!fault_.empty()) return Error{PGA_E_FAIL, "document.type", fault_, "", 0};
    if (!result || objects_.empty()) {
      return Error{PGA_E_FAIL, "document.syntax", "is no JSON object, at byte " + std::to_string(result.Offset()), "", 0};
    }
    return emit(on_row);
  }

  // --- what the reader calls; false ends the reading

  bool Null() { return scalar(Kind::kNull, {}); }
  bool Bool(bool value) { return scalar(Kind::kBool, value ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) { return scalar(Kind::kNumber, {text, length}); }
  bool String(const char* text, rapidjson::SizeType length, bool) { return scalar(Kind::kText, {text, length}); }
  bool Int(int) { return false; }  // numbers come as they are written
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (skipping_ > 0) return true;
    Frame& frame = frames_.back();
    const auto& members = frame.node->members;
    const std::string_view name(text, length);
    // Members come in the schema's order, most of them.
    if (frame.next < members.size() && members[frame.next].name == name) {
      next_node_ = &compiled_.nodes[members[frame.next++].node];
      return true;
    }
    const auto found = frame.node->by_name.find(name);
    next_node_ = found == frame.node->by_name.end() ? &skipped_ : &compiled_.nodes[members[found->second].node];
    if (found != frame.node->by_name.end()) frame.next = found->second + 1;
    return true;
  }

  bool StartObject() {
    if (++depth_ > kDocumentDepth) return false;
    if (skipping_ > 0) return ++skipping_ > 0;
    const FamilyNode* const node = frames_.empty() ? &compiled_.nodes[0] : expected();
    if (node->is == FamilyNode::Is::kSkipped) return ++skipping_ > 0;
    if (node->is != FamilyNode::Is::kObject) return wrong_type("an object");
    Frame frame;
    frame.node = node;
    frame.object = frames_.empty() ? kNowhere : frames_.back().object;
    frame.time = frames_.empty() ? kNowhere : frames_.back().time;
    if (node->timed) {
      times_.push_back({frame.time, {}});
      frame.time = times_.size() - 1;
    }
    if (node->scope >= 0) {
      open(static_cast<std::size_t>(node->scope), frame.object, frame.time);
      frame.object = objects_.size() - 1;
    }
    frames_.push_back(frame);
    return true;
  }

  bool EndObject(rapidjson::SizeType) {
    --depth_;
    if (skipping_ > 0) return --skipping_ >= 0;
    if (frames_.back().node->scope >= 0) objects_[frames_.back().object].end = stream_->Tell();
    frames_.pop_back();
    return true;
  }

  bool StartArray() {
    if (++depth_ > kDocumentDepth) return false;
    if (skipping_ > 0) return ++skipping_ > 0;
    if (frames_.empty()) return false;
    const FamilyNode* const node = expected();
    if (node->is == FamilyNode::Is::kSkipped) return ++skipping_ > 0;
    if (node->is != FamilyNode::Is::kArray) return wrong_type("an array");
    Frame frame = frames_.back();
    frame.node = node;
    frames_.push_back(frame);
    return true;
  }

  bool EndArray(rapidjson::SizeType) {
    --depth_;
    if (skipping_ > 0) return --skipping_ >= 0;
    frames_.pop_back();
    return true;
  }

 private:
  enum class Kind { kNull, kBool, kNumber, kText };

  // An object or array that is open.
  struct Frame {
    const FamilyNode* node = nullptr;
    std::size_t next = 0;           // the member that is looked for first
    std::size_t object = kNowhere;  // the row it belongs to
    std::size_t time = kNowhere;    // the nearest object that says when
  };

  // A row, or what rows lie in.
  struct Object {
    std::size_t scope = 0;
    std::size_t parent = kNowhere;
    std::size_t time = kNowhere;
    std::size_t labels = 0, fields = 0, facts = 0;  // where its own begin
    std::size_t begin = 0, end = 0;                 // its JSON
  };

  struct Time {
    std::size_t around = kNowhere;
    std::string_view text;
  };

  void clear() {
    frames_.clear();
    objects_.clear();
    times_.clear();
    labels_.clear();
    fields_.clear();
    facts_.clear();
    fault_.clear();
    depth_ = 0;
    skipping_ = 0;
  }

  // What the value that begins now is to be.
  const FamilyNode* expected() {
    const Frame& frame = frames_.back();
    if (frame.node->is == FamilyNode::Is::kArray) return &compiled_.nodes[frame.node->element];
    return next_node_;
  }

  void open(std::size_t scope_index, std::size_t parent, std::size_t time) {
    const FamilyScope& scope = compiled_.scopes[scope_index];
    Object object;
    object.scope = scope_index;
    object.parent = parent;
    object.time = time;
    object.labels = labels_.size();
    object.fields = fields_.size();
    object.facts = facts_.size();
    object.begin = stream_->Tell() - 1;  // its brace
    labels_.resize(labels_.size() + scope.labels);
    fields_.resize(fields_.size() + scope.fields, kNone);
    facts_.resize(facts_.size() + scope.facts);
    objects_.push_back(object);
  }

  bool scalar(Kind kind, std::string_view text) {
    if (skipping_ > 0) return true;
    if (frames_.empty()) return false;
    const FamilyNode* const node = expected();
    if (node->is == FamilyNode::Is::kSkipped || kind == Kind::kNull) return true;
    const Object& object = objects_[frames_.back().object];
    switch (node->is) {
      case FamilyNode::Is::kLabel: labels_[object.labels + node->slot] = text; return true;
      case FamilyNode::Is::kFact: facts_[object.facts + node->slot] = text; return true;
      case FamilyNode::Is::kTime:
        if (kind != Kind::kText) return wrong_type("no text");
        times_[frames_.back().time].text = text;
        return true;
      case FamilyNode::Is::kField:
        if (kind == Kind::kText) return wrong_type("a text");
        fields_[object.fields + node->slot] = kind == Kind::kBool ? (text == "true" ? 1.0 : 0.0) : number(text);
        return true;
      default: return wrong_type("a single value");
    }
  }

  // JSON's numbers are from_chars'; what is beyond a double is its infinity, and so none.
  static double number(std::string_view text) {
    double value = kNone;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc() ? value : kNone;
  }

  // Which member it is: found by its node, because only what goes wrong needs the name.
  bool wrong_type(const char* what) {
    std::string path;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      if (frames_[i].node->is == FamilyNode::Is::kArray) continue;
      const FamilyNode* const inner = i + 1 < frames_.size() ? frames_[i + 1].node : next_node_;
      for (const auto& member : frames_[i].node->members) {
        if (&compiled_.nodes[member.node] == inner) path += (path.empty() ? "" : "/") + member.name;
      }
    }
    fault_ = (path.empty() ? "an element" : path) + " is " + what + ": its plugin's schema says otherwise";
    return false;
  }

  std::string_view time_of(std::size_t time) const {
    while (time != kNowhere && times_[time].text.empty()) time = times_[time].around;
    return time == kNowhere ? std::string_view() : times_[time].text;
  }

  void gather_labels(const Object& object) {
    if (object.parent != kNowhere) gather_labels(objects_[object.parent]);
    const auto own = labels_.begin() + static_cast<std::ptrdiff_t>(object.labels);
    row_labels_.insert(row_labels_.end(), own, own + static_cast<std::ptrdiff_t>(compiled_.scopes[object.scope].labels));
  }

  bool says_something(const Object& object, const FamilyScope& scope) const {
    for (std::size_t i = 0; i < scope.fields; ++i) {
      if (fields_[object.fields + i] == fields_[object.fields + i]) return true;
    }
    for (std::size_t i = 0; i < scope.facts; ++i) {
      if (facts_[object.facts + i].data() != nullptr) return true;
    }
    return false;
  }

  Outcome emit(const std::function<Outcome(const FamilyRow&)>& on_row) {
    for (const Object& object : objects_) {
      const FamilyScope& scope = compiled_.scopes[object.scope];
      if (scope.family < 0) continue;
      FamilyRow row;
      row.family = static_cast<std::size_t>(scope.family);
      const bool is_event = compiled_.families[row.family].is_events;
      if (!is_event && !says_something(object, scope)) continue;
      row_labels_.clear();
      gather_labels(object);
      row.time = time_of(object.time);
      row.labels = row_labels_.data();
      row.fields = fields_.data() + object.fields;
      row.facts = facts_.data() + object.facts;
      if (is_event) row.json = document_.substr(object.begin, object.end - object.begin);
      PGA_CHECK(on_row(row));
    }
    return {};
  }

  const FamilyNodes& compiled_;
  const FamilyNode skipped_;
  std::string text_;  // the document, taken apart in place
  std::string_view document_;
  rapidjson::InsituStringStream* stream_ = nullptr;
  std::vector<Frame> frames_;
  std::vector<Object> objects_;
  std::vector<Time> times_;
  std::vector<std::string_view> labels_, facts_, row_labels_;
  std::vector<double> fields_;
  const FamilyNode* next_node_ = nullptr;
  std::string fault_;
  unsigned depth_ = 0;
  int skipping_ = 0;  // how deep we are in what the schema does not know
};

FamilyRows::FamilyRows(const Families& families) : walk_(std::make_unique<Walk>(families)) {}
FamilyRows::~FamilyRows() = default;

Outcome FamilyRows::read(std::string_view document, const std::function<Outcome(const FamilyRow&)>& on_row) {
  return walk_->read(document, on_row);
}

}  // namespace pganalytics::schema
