#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/generate/places.h"
#include "cli/generate/random.h"

// Names of the synthetic country, plausible for the region that a family comes from.

namespace sluis::cli {

// A name as three kinds of administration write it.
struct Name {
  std::string utf8;         // "Yıldız", "van der Berg"
  std::string cp1252;       // letters that Windows-1252 lacks lose their diacritics: "Yildiz"
  std::string ascii_upper;  // as an old mainframe has it: "YILDIZ", "VAN DER BERG"
};

// All surnames, or all given names; a person holds a position in it.
[[nodiscard]] const std::vector<Name>& Surnames();
[[nodiscard]] const std::vector<Name>& GivenNames();

// Draw a position of a name that is usual among people of `origin`.
[[nodiscard]] std::uint16_t DrawSurname(Random& random, Origin origin);
[[nodiscard]] std::uint16_t DrawGivenName(Random& random, Origin origin, bool female);

// Returns `utf8` in Windows-1252, or in upper-case ASCII. Letters that do not occur in the
// lists of name_lists.h become '?'. Precondition: no letter takes more than two bytes.
[[nodiscard]] std::string ToCp1252(std::string_view utf8);
[[nodiscard]] std::string ToAsciiUpper(std::string_view utf8);

// Street names, without the house number.
[[nodiscard]] const std::vector<std::string>& Streets();

}  // namespace sluis::cli
