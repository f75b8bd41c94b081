#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "linker/fuzzy/match_records.h"

// A comparison's report and its scored pairs as bytes: numbers little-endian and of fixed width, floating-point numbers
// by their bits, lists behind their length as 32 bits. One value has one encoding.

namespace sluis::linker {

// Of the report all but source_a, source_b, links, seconds and reused, which are the run's and not the comparison's.
[[nodiscard]] std::string EncodeReport(const ComparisonReport& report);
// Errors: DATA_LOSS if the bytes are not what EncodeReport wrote, in form.
[[nodiscard]] absl::StatusOr<ComparisonReport> DecodeReport(std::string_view bytes);

inline constexpr std::size_t kPairBytes = 12;
// Appends `pair` in kPairBytes.
void AppendPair(const ScoredPair& pair, std::string& out);
// Precondition: `bytes` has at least kPairBytes.
[[nodiscard]] ScoredPair ReadPair(std::string_view bytes);

void AppendLittleEndian32(std::uint32_t value, std::string& out);
// Precondition: `bytes` has at least 4.
[[nodiscard]] std::uint32_t ReadLittleEndian32(std::string_view bytes);

}  // namespace sluis::linker
