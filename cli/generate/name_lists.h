#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "cli/generate/places.h"

// The raw lists of names.h: names separated by one comma, UTF-8. Common names stand first, because they are drawn more
// often.

namespace sluis::cli {

struct NameLists {
  std::string_view surnames;
  std::string_view male;
  std::string_view female;
};
// By Origin; people of unknown origin bear names of all.
extern const std::array<NameLists, kOrigins - 1> kNameLists;

// Dutch surnames are also made of a prefix and a place ("van der" + "Berg"), or of two parts ("Wester" + "hof").
extern const std::string_view kDutchPrefixes;
extern const std::string_view kDutchPlaces;
extern const std::string_view kDutchFirstParts;
extern const std::string_view kDutchSecondParts;

extern const std::string_view kStreetFirstParts;
extern const std::string_view kStreetSecondParts;

}  // namespace sluis::cli
