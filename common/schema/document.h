#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

// Reading a schema document key by key, so that no key goes unnoticed.

namespace sluis::common::schema_internal {

// Reads JSON (if the text begins with a brace) or YAML. Bounded: 1 MiB, 32 levels, 200,000 nodes after aliases are
// expanded; a key that occurs twice in one object is refused.
// Errors: INVALID_ARGUMENT.
[[nodiscard]] absl::StatusOr<nlohmann::json> ParseDocument(std::string_view bytes);

// The keys of one object. Each is taken once; Finish refuses those that nobody took.
class ObjectReader {
 public:
  // Errors: INVALID_ARGUMENT if `value` is not an object.
  [[nodiscard]] static absl::StatusOr<ObjectReader> Open(const nlohmann::json& value, std::string path);

  // Returns the value of `key`, or null.
  const nlohmann::json* Take(const char* key);
  // Leave `out` as it is if `key` is absent. Errors: INVALID_ARGUMENT on another type.
  [[nodiscard]] absl::Status TakeString(const char* key, std::string& out);
  [[nodiscard]] absl::Status TakeBool(const char* key, bool& out);
  [[nodiscard]] absl::Status TakeStrings(const char* key, std::vector<std::string>& out);
  // One printable ASCII character, or tab.
  [[nodiscard]] absl::Status TakeCharacter(const char* key, char& out);
  [[nodiscard]] absl::Status TakeSize(const char* key, std::size_t& out, bool* found);

  // Errors: INVALID_ARGUMENT naming the first key that was not taken.
  [[nodiscard]] absl::Status Finish() const;
  // Returns INVALID_ARGUMENT: path, key and `expected`.
  [[nodiscard]] absl::Status Wrong(std::string_view key, std::string_view expected) const;
  std::string PathOf(std::string_view key) const;

 private:
  ObjectReader(const nlohmann::json& value, std::string path);

  std::map<std::string, const nlohmann::json*> left_;
  std::string path_;
};

}  // namespace sluis::common::schema_internal
