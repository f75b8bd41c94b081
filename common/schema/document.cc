#include "common/schema/document.h"

#include <yaml-cpp/yaml.h>

#include <set>
#include <utility>

#include "common/csv/text_source.h"
#include "common/status/status.h"

namespace sluis::common::schema_internal {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr int kMaxDepth = 32;
constexpr int kMaxNodes = 200'000;

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError("schema: " + message); }

// True if brackets nest no deeper than kMaxDepth: the parsers recurse. Brackets in strings count too, which errs on the
// safe side.
bool IsShallow(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) return false;
  }
  return true;
}

absl::StatusOr<json> ParseJson(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  std::string repeated;
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.empty() && !keys.back().insert(parsed.get<std::string>()).second) {
      repeated = parsed.get<std::string>();
    }
    return true;
  };
  json document = json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  if (document.is_discarded()) return Invalid("not valid JSON");
  if (!repeated.empty()) return Invalid("key `" + repeated + "` occurs twice");
  return document;
}

// YAML's plain scalars become what they would be in JSON, and strings otherwise: 2020-01-01 and NO stay text.
json FromScalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() != "?") return text;
  if (text.empty() || text == "~") return nullptr;
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded() || value.is_structured() || value.is_string()) return text;
  return value;
}

absl::StatusOr<json> FromYaml(const YAML::Node& node, int depth, int& nodes) {
  if (++nodes > kMaxNodes || depth > kMaxDepth) return Invalid("too many values, or nested too deeply");
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return FromScalar(node);
    case YAML::NodeType::Sequence: {
      json array = json::array();
      for (const auto& item : node) {
        SLUIS_ASSIGN_OR_RETURN(json value, FromYaml(item, depth + 1, nodes));
        array.push_back(std::move(value));
      }
      return array;
    }
    case YAML::NodeType::Map: {
      json object = json::object();
      for (const auto& item : node) {
        if (!item.first.IsScalar()) return Invalid("a key must be a plain word");
        SLUIS_ASSIGN_OR_RETURN(json value, FromYaml(item.second, depth + 1, nodes));
        const std::string& key = item.first.Scalar();
        if (!object.emplace(key, std::move(value)).second) return Invalid("key `" + key + "` occurs twice");
      }
      return object;
    }
    default:
      return json(nullptr);
  }
}

}  // namespace

absl::StatusOr<json> ParseDocument(std::string_view bytes) {
  if (bytes.size() > kMaxBytes) return Invalid("longer than 1 MiB");
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (!IsValidUtf8(bytes) || bytes.find('\0') != std::string_view::npos) return Invalid("not valid UTF-8 text");
  if (!IsShallow(bytes)) return Invalid("nested too deeply");
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && bytes[first] == '{') return ParseJson(bytes);
  try {
    const YAML::Node root = YAML::Load(std::string(bytes));
    int nodes = 0;
    return FromYaml(root, 0, nodes);
  } catch (const YAML::Exception& error) {
    return Invalid("not valid YAML at line " + std::to_string(error.mark.line + 1));
  }
}

ObjectReader::ObjectReader(const json& value, std::string path) : path_(std::move(path)) {
  for (auto item = value.begin(); item != value.end(); ++item) left_.emplace(item.key(), &item.value());
}

absl::StatusOr<ObjectReader> ObjectReader::Open(const json& value, std::string path) {
  if (!value.is_object()) return Invalid((path.empty() ? "the document" : "`" + path + "`") + " must be an object");
  return ObjectReader(value, std::move(path));
}

const json* ObjectReader::Take(const char* key) {
  const auto found = left_.find(key);
  if (found == left_.end()) return nullptr;
  const json* value = found->second;
  left_.erase(found);
  return value;
}

absl::Status ObjectReader::TakeString(const char* key, std::string& out) {
  const json* value = Take(key);
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_string()) return Wrong(key, "must be a string");
  out = value->get<std::string>();
  return absl::OkStatus();
}

absl::Status ObjectReader::TakeBool(const char* key, bool& out) {
  const json* value = Take(key);
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_boolean()) return Wrong(key, "must be true or false");
  out = value->get<bool>();
  return absl::OkStatus();
}

absl::Status ObjectReader::TakeStrings(const char* key, std::vector<std::string>& out) {
  const json* value = Take(key);
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_array()) return Wrong(key, "must be a list of strings");
  out.clear();
  for (const json& item : *value) {
    if (!item.is_string()) return Wrong(key, "must be a list of strings; put numbers in quotes");
    out.push_back(item.get<std::string>());
  }
  return absl::OkStatus();
}

absl::Status ObjectReader::TakeCharacter(const char* key, char& out) {
  std::string text;
  const json* value = Take(key);
  if (value == nullptr) return absl::OkStatus();
  if (value->is_string()) text = value->get<std::string>();
  if (text.size() != 1 || (text[0] != '\t' && (text[0] < ' ' || text[0] > '~'))) {
    return Wrong(key, "must be one ASCII character");
  }
  out = text[0];
  return absl::OkStatus();
}

absl::Status ObjectReader::TakeSize(const char* key, std::size_t& out, bool* found) {
  const json* value = Take(key);
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > kMaxBytes) {
    return Wrong(key, "must be a whole number from 0 to " + std::to_string(kMaxBytes));
  }
  out = value->get<std::size_t>();
  if (found != nullptr) *found = true;
  return absl::OkStatus();
}

absl::Status ObjectReader::Finish() const {
  if (left_.empty()) return absl::OkStatus();
  return Invalid((path_.empty() ? "" : "`" + path_ + "`: ") + "key `" + left_.begin()->first +
                 "` is unknown or not supported; remove it");
}

absl::Status ObjectReader::Wrong(std::string_view key, std::string_view expected) const {
  return Invalid("`" + PathOf(key) + "` " + std::string(expected));
}

std::string ObjectReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

}  // namespace sluis::common::schema_internal
