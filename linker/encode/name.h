#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sluis::linker {

// Returns a surname as letters in upper case without anything that registers write differently: "van der Müller-Dijk"
// gives "DYK". nullopt if no letter is left.
//
// In this order:
//   1. compatibility decomposition (NFKD), then diacritics are dropped; letters that do not decompose are spelled out:
//      ß SS, æ AE, œ OE, ø O, ł L, đ D, ð D, þ TH, ı I, ħ H, ŋ N, ə E. ö and ü give O and U, as Dutch registers write
//      them, not OE and UE.
//   2. Upper case. Letters of other scripts stay as they are; a link on them needs the same script on both sides.
//   3. Words are separated by white space, points, commas, slashes and underscores; an apostrophe ends a word if what
//   is
//      before it is a prefix (d'Hondt, 't Hart) and vanishes otherwise (O'Brien). Anything else but letters is dropped.
//   4. Double names (a hyphen between words) give their last part. A married woman's name in use is by Dutch custom the
//      partner's name, a hyphen, her own; population registers hold her own name only. A name of birth that is itself
//      double loses its first part on both sides alike. A hyphen after a prefix or after a part that never stands alone
//      (Al-Hassan, Ben-Ali, Abdul-Rahman, Sint-Maartens) is a space.
//   5. Prefixes before the name (van der, de, ten, in 't, von, da, el ..., and v. d. abbreviated) and after it ("Berg,
//      van der") are dropped, since registers hold them in a field of their own or not at all. The last word of a name
//      is never dropped before it, so that the surname "De" stays.
//   6. The words are joined, and IJ is written Y: Dijk and Dyk are one name, ij and ÿ one letter.
//
// Meant for surnames; a given name such as Anne-Marie would lose its first half, so use kText for those.
// Errors: INVALID_ARGUMENT if `value` is no valid UTF-8 (or, from Normalise, too long). Thread-safe.
[[nodiscard]] absl::StatusOr<std::optional<std::string>> NormaliseName(std::string_view value);

// Whether `word`, in capital ASCII letters, is one that stands before a surname and that registers hold apart (VAN,
// DER, DE, EL ...).
[[nodiscard]] bool IsNamePrefix(std::string_view word);

}  // namespace sluis::linker
