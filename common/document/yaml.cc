#include "common/document/yaml.h"

#include <google/protobuf/util/json_util.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 64;
constexpr int kMaxNodes = 100'000;
constexpr std::size_t kMaxKeys = 1000;  // of one map; looking a key up takes time in their number

std::string At(const YAML::Node& node) {
  return absl::StrCat("line ", node.Mark().line + 1, ", column ", node.Mark().column + 1);
}

class Converter {
 public:
  absl::StatusOr<Json> Convert(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth) return absl::InvalidArgumentError("the document is nested deeper than 64 levels");
    if (++nodes_ > kMaxNodes) return absl::InvalidArgumentError("the document has more than 100,000 nodes");
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return ConvertMap(node, depth);
      case YAML::NodeType::Sequence: {
        Json array = Json::array();
        for (const YAML::Node& item : node) {
          SLUIS_ASSIGN_OR_RETURN(Json value, Convert(item, depth + 1));
          array.push_back(std::move(value));
        }
        return array;
      }
      case YAML::NodeType::Scalar: {
        const bool plain = node.Tag() == "?";
        if (plain && node.Scalar() == "true") return Json(true);
        if (plain && node.Scalar() == "false") return Json(false);
        return Json(node.Scalar());
      }
      default:
        return Json();  // null: protobuf's JSON mapping takes it as absent
    }
  }

 private:
  absl::StatusOr<Json> ConvertMap(const YAML::Node& node, int depth) {
    Json object = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return absl::InvalidArgumentError(absl::StrCat(At(entry.first), ": a plain key is expected"));
      }
      const std::string& key = entry.first.Scalar();
      if (object.size() >= kMaxKeys)
        return absl::InvalidArgumentError("a map of the document has more than 1,000 keys");
      if (object.contains(key)) {
        return absl::InvalidArgumentError(absl::StrCat(At(entry.first), ": the key \"", key, "\" is given twice"));
      }
      SLUIS_ASSIGN_OR_RETURN(Json value, Convert(entry.second, depth + 1));
      object[key] = std::move(value);
    }
    return object;
  }

  int nodes_ = 0;
};

class IgnoreEvents : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// The one document in `text`; nullopt if there are more or none. YAML::LoadAll would not do: where a document begins
// with a comma, yaml-cpp 0.7 finds one empty document after the other there, without end.
std::optional<YAML::Node> LoadOnly(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  IgnoreEvents ignore;
  int documents = 0;
  while (documents < 2 && parser.HandleNextDocument(ignore)) ++documents;
  if (documents != 1) return std::nullopt;
  return YAML::Load(text);
}

absl::StatusOr<Json> Parse(std::string_view yaml) {
  if (yaml.size() > kMaxDocumentBytes) return absl::InvalidArgumentError("the document is larger than 4 MiB");
  try {
    const std::optional<YAML::Node> document = LoadOnly(std::string(yaml));
    if (!document || !document->IsMap()) {
      return absl::InvalidArgumentError("one YAML document that is a map of fields is expected");
    }
    return Converter().Convert(*document, 0);
  } catch (const YAML::Exception& e) {
    return absl::InvalidArgumentError(
        absl::StrCat("not valid YAML at line ", e.mark.line + 1, ", column ", e.mark.column + 1, ": ", e.msg));
  }
}

}  // namespace

absl::Status ParseYaml(std::string_view yaml, google::protobuf::Message& message) {
  SLUIS_ASSIGN_OR_RETURN(const Json json, Parse(yaml));
  std::string text;
  try {
    text = json.dump();
  } catch (const nlohmann::json::exception&) {
    return absl::InvalidArgumentError("the document is not valid UTF-8");
  }
  message.Clear();
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto status = google::protobuf::util::JsonStringToMessage(text, &message, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(std::string(status.message()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> YamlToJson(std::string_view yaml) {
  SLUIS_ASSIGN_OR_RETURN(const Json json, Parse(yaml));
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    return absl::InvalidArgumentError("the document is not valid UTF-8");
  }
}

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Printing fails only for invalid UTF-8 in a string field, which protobuf's own parsers refuse.
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "{}\n";
  return json;
}

}  // namespace sluis::common
