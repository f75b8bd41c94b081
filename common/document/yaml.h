#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace google::protobuf {
class Message;
}

// Documents that people write as YAML (or JSON, which is YAML) and that protobuf messages define.

namespace sluis::common {

inline constexpr std::size_t kMaxDocumentBytes = 4 << 20;

// Reads one YAML document into `message`, replacing what it held. Field names are those of the .proto file. Scalars
// keep their spelling: a code 01 or no stays "01" and "no"; only true and false are booleans. Errors: INVALID_ARGUMENT
// on bad YAML (with line and column), a key given twice, an unknown field or a value of the wrong type (with the path
// of the field), more than kMaxDocumentBytes, nesting deeper than 64, or more than 100,000 nodes (aliases counted each
// time).
[[nodiscard]] absl::Status ParseYaml(std::string_view yaml, google::protobuf::Message& message);

// Returns `yaml` as JSON text, under the same limits; for documents that another standard defines.
[[nodiscard]] absl::StatusOr<std::string> YamlToJson(std::string_view yaml);

// Returns `message` as JSON with the .proto file's field names, two-space indented.
[[nodiscard]] std::string ToJson(const google::protobuf::Message& message);

}  // namespace sluis::common
