#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"

// The components of match keys in the one spelling that all registers share. Two registers link on exactly equal bytes,
// so everything here is deterministic, independent of locale, and versioned with kMatchKeyLabel (match_key.h): a change
// of any rule is a new label, hence new pseudonyms.

namespace sluis::linker {

// A longer value cannot be a name, a number or a date, and is refused before any work is done on it.
inline constexpr std::size_t kMaxComponentBytes = 1024;

// Returns `value` normalised by `normaliser`, or nullopt if it is missing or implausible: a null never matches.
//
//   kBsn           9 digits; spaces, dots and hyphens are dropped, 8 digits get a leading zero; nullopt unless it
//   passes
//                  the eleven test and is not all zeros
//   kDate          yyyymmdd, from yyyy-mm-dd or yyyymmdd; nullopt unless it is a day of the calendar, so also if day or
//                  month are 00 (unknown, as in the Dutch population register)
//   kSex           "M" or "F", from M, man, male, 1 and V, W, F, vrouw, woman, female, 2 (ISO/IEC 5218), in any case
//   kName          NormaliseName (name.h)
//   kPhoneticName  DutchPhoneticCode (phonetic.h) of NormaliseName
//   kPostcode6     1234AB; nullopt for a leading zero and for the letters SA, SD, SS, which are not in use
//   kPostcode4     1234, from a postcode of either length
//   kText          NFKC with full case folding (Unicode 15, ICU 72), white space trimmed and collapsed to one space
//
// Errors: INVALID_ARGUMENT if `value` is longer than kMaxComponentBytes or no valid UTF-8. Thread-safe. Under 0.3
// microseconds for ASCII, a few for the rest.
[[nodiscard]] absl::StatusOr<std::optional<std::string>> Normalise(common::Normaliser normaliser,
                                                                   std::string_view value);

}  // namespace sluis::linker
