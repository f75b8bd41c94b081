#include "linker/encode/match_key.h"

#include <utility>

#include "common/bytes/secret.h"
#include "common/status/status.h"
#include "linker/encode/normalise.h"

namespace sluis::linker {
namespace {

void AppendString(std::string& out, std::string_view bytes) {
  common::AppendBigEndian32(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> MatchKeyInput(const common::MatchKey& key,
                                                         std::span<const std::string_view> values) {
  if (values.size() != key.components.size()) {
    return absl::InvalidArgumentError("match key " + key.name + ": " + std::to_string(values.size()) + " values for " +
                                      std::to_string(key.components.size()) + " components");
  }
  std::string input;
  input.reserve(96);
  AppendString(input, kMatchKeyLabel);
  AppendString(input, key.name);
  common::AppendBigEndian32(input, static_cast<std::uint32_t>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    absl::StatusOr<std::optional<std::string>> component = Normalise(key.components[i].normaliser, values[i]);
    if (!component.ok()) {
      return common::Annotate(component.status(), "field " + key.components[i].source);
    }
    if (!component->has_value()) {
      common::Wipe(input);
      return std::optional<std::string>();
    }
    AppendString(input, **component);
    common::Wipe(**component);
  }
  return std::optional<std::string>(std::move(input));
}

}  // namespace sluis::linker
