#include "cli/generate/places.h"

#include <algorithm>

namespace sluis::cli {
namespace {

using enum Origin;

constexpr auto kCountries = std::to_array<Country>({
    {"NLD", kNetherlands, 1, true},    {"UNK", kUnknown, 1, false},        {"POL", kEurope, 240, true},
    {"DEU", kEurope, 190, true},       {"BEL", kEurope, 80, true},         {"GBR", kEurope, 80, false},
    {"BGR", kEurope, 60, true},        {"ROU", kEurope, 60, true},         {"UKR", kEurope, 90, false},
    {"ITA", kEurope, 60, true},        {"ESP", kEurope, 55, true},         {"FRA", kEurope, 45, true},
    {"PRT", kEurope, 40, true},        {"GRC", kEurope, 30, true},         {"HUN", kEurope, 30, true},
    {"BIH", kEurope, 25, false},       {"RUS", kEurope, 25, false},        {"SRB", kEurope, 12, false},
    {"CZE", kEurope, 10, true},        {"TUR", kTurkey, 1, false},         {"MAR", kMorocco, 1, false},
    {"SUR", kSuriname, 1, false},      {"CUW", kDutchCaribbean, 70, true}, {"ABW", kDutchCaribbean, 20, true},
    {"SXM", kDutchCaribbean, 6, true}, {"BES", kDutchCaribbean, 4, true},  {"IDN", kIndonesia, 1, false},
    {"SOM", kAfrica, 150, false},      {"ERI", kAfrica, 120, false},       {"GHA", kAfrica, 110, false},
    {"CPV", kAfrica, 90, false},       {"EGY", kAfrica, 90, false},        {"ETH", kAfrica, 80, false},
    {"NGA", kAfrica, 70, false},       {"ZAF", kAfrica, 80, false},        {"COD", kAfrica, 40, false},
    {"SDN", kAfrica, 40, false},       {"TUN", kAfrica, 40, false},        {"SYR", kAsia, 230, false},
    {"CHN", kAsia, 130, false},        {"IRQ", kAsia, 120, false},         {"IND", kAsia, 120, false},
    {"AFG", kAsia, 100, false},        {"IRN", kAsia, 90, false},          {"PAK", kAsia, 40, false},
    {"VNM", kAsia, 40, false},         {"PHL", kAsia, 35, false},          {"HKG", kAsia, 25, false},
    {"THA", kAsia, 25, false},         {"JPN", kAsia, 15, false},          {"BRA", kAmerica, 250, false},
    {"USA", kAmerica, 250, false},     {"COL", kAmerica, 120, false},      {"DOM", kAmerica, 100, false},
    {"VEN", kAmerica, 60, false},      {"CAN", kAmerica, 60, false},       {"PER", kAmerica, 40, false},
    {"AUS", kAmerica, 60, false},      {"GUY", kAmerica, 30, false},       {"ARG", kAmerica, 30, false},
});

constexpr auto kMunicipalities = std::to_array<Municipality>({
    {"GM9001", "Noorderdam", "PV27", 95, 1011, 70},
    {"GM9002", "Spaarneveen", "PV27", 26, 2011, 28},
    {"GM9003", "Duinhaven", "PV27", 16, 1701, 22},
    {"GM9004", "Gooiermeer", "PV27", 18, 1211, 24},
    {"GM9005", "Waterland-Oost", "PV27", 8, 1441, 12},
    {"GM9006", "Maashaven", "PV28", 80, 3011, 68},
    {"GM9007", "Hofwijk", "PV28", 62, 2511, 58},
    {"GM9008", "Rijnleiden", "PV28", 22, 2311, 24},
    {"GM9009", "Goudekerk", "PV28", 14, 2801, 16},
    {"GM9010", "Drechtmonde", "PV28", 18, 3311, 20},
    {"GM9011", "Westerpolder", "PV28", 10, 2671, 14},
    {"GM9012", "Domstad", "PV26", 42, 3511, 42},
    {"GM9013", "Eemkoppel", "PV26", 20, 3811, 20},
    {"GM9014", "Heuvelzeist", "PV26", 10, 3701, 14},
    {"GM9015", "Lekstroom", "PV26", 8, 3431, 12},
    {"GM9016", "Nieuwpolder", "PV24", 26, 1311, 26},
    {"GM9017", "Lelierhoek", "PV24", 9, 8211, 14},
    {"GM9018", "Betuwestad", "PV25", 22, 6511, 26},
    {"GM9019", "Rijnhoven", "PV25", 21, 6811, 24},
    {"GM9020", "Veluwerand", "PV25", 20, 7311, 22},
    {"GM9021", "Achterlinde", "PV25", 9, 7101, 20},
    {"GM9022", "Edeveen", "PV25", 13, 6711, 18},
    {"GM9023", "Twentelo", "PV23", 20, 7511, 28},
    {"GM9024", "IJsselmonde-Noord", "PV23", 16, 8011, 20},
    {"GM9025", "Salland", "PV23", 8, 7411, 18},
    {"GM9026", "Vechtdal", "PV23", 6, 7691, 14},
    {"GM9027", "Stadskanter", "PV20", 24, 9711, 28},
    {"GM9028", "Eemsmond-Zuid", "PV20", 7, 9931, 18},
    {"GM9029", "Hoogeland", "PV20", 5, 9951, 20},
    {"GM9030", "Friese Wouden", "PV21", 9, 9201, 30},
    {"GM9031", "Leeuwerden", "PV21", 13, 8911, 22},
    {"GM9032", "Sneekermeer", "PV21", 7, 8601, 26},
    {"GM9033", "Drentse Aa", "PV22", 8, 9401, 24},
    {"GM9034", "Veenhuizerveld", "PV22", 10, 7811, 26},
    {"GM9035", "Scheldemond", "PV29", 7, 4331, 20},
    {"GM9036", "Zeeuws-Oost", "PV29", 6, 4531, 24},
    {"GM9037", "Lichtstad", "PV30", 30, 5611, 34},
    {"GM9038", "Brabantse Stede", "PV30", 26, 5011, 28},
    {"GM9039", "Bredevaart", "PV30", 24, 4811, 26},
    {"GM9040", "Peelrand", "PV30", 15, 5701, 24},
    {"GM9041", "Maasmijnen", "PV31", 17, 6411, 26},
    {"GM9042", "Mosastad", "PV31", 15, 6211, 22},
    {"GM9043", "Venloo-aan-de-Maas", "PV31", 14, 5911, 24},
});

// Per thousand heads of household in the country as a whole; roughly CBS StatLine, population by origin, 2023.
constexpr std::array<std::uint32_t, kOrigins> kNational = {728, 92, 25, 24, 20, 11, 19, 24, 40, 15, 2};

// How many times, in percent, an origin group abroad is as frequent as in the country, by province; unequal, so that
// small cells arise.
struct ProvinceMix {
  std::string_view province;
  std::array<std::uint32_t, kOrigins> percent;
};
constexpr auto kProvinceMixes = std::to_array<ProvinceMix>({
    {"PV20", {100, 75, 25, 20, 30, 90, 60, 70, 90, 80, 120}},
    {"PV21", {100, 45, 18, 20, 20, 45, 45, 40, 60, 40, 80}},
    {"PV22", {100, 40, 22, 8, 15, 25, 55, 30, 50, 35, 60}},
    {"PV23", {100, 70, 120, 20, 20, 40, 60, 45, 85, 40, 80}},
    {"PV24", {100, 80, 80, 130, 330, 190, 110, 170, 120, 130, 110}},
    {"PV25", {100, 75, 80, 50, 30, 55, 95, 60, 85, 60, 80}},
    {"PV26", {100, 80, 95, 190, 75, 60, 95, 80, 100, 90, 90}},
    {"PV27", {100, 135, 115, 150, 165, 95, 115, 145, 130, 170, 120}},
    {"PV28", {100, 115, 165, 135, 200, 200, 125, 155, 115, 125, 130}},
    {"PV29", {100, 130, 45, 25, 18, 40, 60, 35, 50, 40, 60}},
    {"PV30", {100, 105, 90, 75, 35, 75, 85, 70, 80, 70, 80}},
    {"PV31", {100, 150, 55, 70, 15, 50, 60, 50, 65, 55, 90}},
});

using WeightTable = std::array<std::array<std::uint32_t, kOrigins>, kMunicipalities.size()>;

constexpr WeightTable MakeOriginWeights() {
  WeightTable table{};
  for (std::size_t i = 0; i < kMunicipalities.size(); ++i) {
    for (const ProvinceMix& mix : kProvinceMixes) {
      if (mix.province == kMunicipalities[i].province) {
        for (std::size_t origin = 0; origin < kOrigins; ++origin) {
          table[i][origin] = kNational[origin] * mix.percent[origin];
        }
      }
    }
  }
  return table;
}
constexpr WeightTable kOriginWeights = MakeOriginWeights();

}  // namespace

std::span<const Country> Countries() { return kCountries; }

Origin OriginOf(std::uint8_t own, std::uint8_t mother, std::uint8_t father) {
  const auto abroad = [](std::uint8_t country) { return country != kNetherlandsCountry && country != kUnknownCountry; };
  if (own != kNetherlandsCountry) {
    return kCountries[own].origin;
  }
  if (abroad(mother)) {
    return kCountries[mother].origin;
  }
  return kCountries[father].origin;
}

std::span<const Municipality> Municipalities() { return kMunicipalities; }

const std::array<std::uint32_t, kOrigins>& OriginWeights(std::size_t municipality) {
  return kOriginWeights[municipality];
}

}  // namespace sluis::cli
