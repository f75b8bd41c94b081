#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

// Where people of the synthetic country live and come from. Municipalities are made up (codes from GM9001); countries
// are ISO 3166-1 alpha-3.

namespace sluis::cli {

// Origin groups: the leaves of the CBS classification of 2022 (deploy/presets/hierarchies/origin-cbs-2022.csv).
enum class Origin : std::uint8_t {
  kNetherlands,
  kEurope,
  kTurkey,
  kMorocco,
  kSuriname,
  kDutchCaribbean,
  kIndonesia,
  kAfrica,
  kAsia,
  kAmerica,
  kUnknown,
};
inline constexpr std::size_t kOrigins = 11;
inline constexpr std::array<std::string_view, kOrigins> kOriginCodes = {
    "NLD", "EUR_XNL", "TUR", "MAR", "SUR", "DCAR", "IDN", "AFR_XMAR", "ASI_XIDNTUR", "AMO_XSURDCAR", "UNK"};

struct Country {
  std::string_view code;
  Origin origin;
  std::uint16_t weight;  // within its origin group
  bool free_movement;    // its citizens need no ground of residence (EU, EFTA, the Kingdom)
};
// Country 0 is NLD, country 1 is UNK.
[[nodiscard]] std::span<const Country> Countries();
inline constexpr std::uint8_t kNetherlandsCountry = 0;
inline constexpr std::uint8_t kUnknownCountry = 1;

// Returns the CBS 2022 origin of a person from the countries (positions in Countries()) of birth of person and parents:
// own country if born abroad; else the mother's if abroad, else the father's.
[[nodiscard]] Origin OriginOf(std::uint8_t own, std::uint8_t mother, std::uint8_t father);

struct Municipality {
  std::string_view code;
  std::string_view name;
  std::string_view province;  // PV20..PV31
  std::uint16_t weight;       // share of the households
  std::uint16_t first_pc4;    // its postcodes: [first_pc4, first_pc4 + pc4_count)
  std::uint16_t pc4_count;
};
[[nodiscard]] std::span<const Municipality> Municipalities();

// Returns the weights of the origin groups among heads of household in municipality `municipality`.
[[nodiscard]] const std::array<std::uint32_t, kOrigins>& OriginWeights(std::size_t municipality);

}  // namespace sluis::cli
