#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "linker/encode/encoding_plan.h"
#include "linker/encode/record_encoder.h"

// A record's encodings as they travel to the linker and stand in its store. All records of a plan have the same length.
//
//   record level  the encoding: words of 64 bits, little-endian. All zero: the record has no encoding. Which features a
//                 record lacks is not told, only hinted at by the number of set bits (README.md).
//   field level   the encodings one after another in the order of the plan's features, then 8 bytes little-endian of
//                 which bit i says that the record has feature i

namespace sluis::linker {

// Returns the length of one record's encodings. Precondition: `plan` is valid.
[[nodiscard]] std::size_t EncodingBytes(const EncodingPlan& plan);

// Appends `encoding`, made by RecordEncoder with `plan`, to `out`: EncodingBytes(plan) bytes.
void AppendEncodingBytes(const EncodingPlan& plan, const Encoding& encoding, std::string& out);

// Reads one record's encodings into `out`, whose memory is used again. Total over all bytes of the right length, so
// that a broken or hostile record spoils nobody else's: bits of `present` beyond the features are dropped; a feature
// that is not present has zero words; one whose words are all zero is not present. Record level: `present` has all
// features or, without an encoding, none. Errors: INVALID_ARGUMENT if `bytes` is not EncodingBytes(plan) long.
[[nodiscard]] absl::Status ReadEncodingBytes(const EncodingPlan& plan, std::string_view bytes, Encoding& out);

}  // namespace sluis::linker
