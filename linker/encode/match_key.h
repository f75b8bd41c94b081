#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"

namespace sluis::linker {

// Names the version of all normalisation rules and of the encoding below.
inline constexpr std::string_view kMatchKeyLabel = "sluis-match-key-v1";

// Returns the byte string that stands for a person under `key` and goes into the OPRF, or nullopt if any component is
// missing or implausible.
//
// It is kMatchKeyLabel || key.name || number of components || normalised components, each string after its length
// (lengths and the number: 4 bytes, big-endian). Injective: no two keys, and no two lists of components, give the same
// bytes. `values`: the components as they stand in the extract, UTF-8, in the order of key.components; empty: missing.
// Errors: INVALID_ARGUMENT if the number of values is not that of the components; naming the component's source, if a
// value is longer than kMaxComponentBytes or no valid UTF-8.
// Thread-safe. Cost: `tests/bench/prepare_bench`. The result identifies a person: wipe it.
[[nodiscard]] absl::StatusOr<std::optional<std::string>> MatchKeyInput(const common::MatchKey& key,
                                                                       std::span<const std::string_view> values);

}  // namespace sluis::linker
