#include "linker/encode/field_names.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace sluis::linker {
namespace {

using std::string_view_literals::operator""sv;

// Anywhere in the name, since languages join them with others.
constexpr std::array kStems = {"addres"sv,    "adres"sv,    "street"sv,    "straat"sv,  "strasse"sv,  "postcode"sv,
                               "postal"sv,    "postleit"sv, "zipcode"sv,   "suburb"sv,  "housenum"sv, "houseno"sv,
                               "huisn"sv,     "hausn"sv,    "woonplaat"sv, "wohnort"sv, "gemeente"sv, "municip"sv,
                               "apartment"sv, "provin"sv,   "bundesl"sv,   "resid"sv,   "localit"sv,  "indirizzo"sv,
                               "latitud"sv,   "longitud"sv};
// As a word of its own.
constexpr std::array kWords = {
    "addr"sv,        "house"sv,  "zip"sv,   "city"sv,   "town"sv,  "village"sv, "state"sv,  "region"sv,
    "district"sv,    "county"sv, "unit"sv,  "flat"sv,   "apt"sv,   "road"sv,    "place"sv,  "plaats"sv,
    "wijk"sv,        "buurt"sv,  "plz"sv,   "ort"sv,    "stadt"sv, "rue"sv,     "ville"sv,  "commune"sv,
    "departement"sv, "cp"sv,     "calle"sv, "ciudad"sv, "via"sv,   "citta"sv,   "comune"sv, "cap"sv};
// What makes it something else.
constexpr std::array kOthers = {"birth"sv, "born"sv,    "geboort"sv, "geburt"sv,  "naiss"sv, "nascit"sv,
                                "nacim"sv, "marital"sv, "civil"sv,   "burgerl"sv, "email"sv, "mail"sv};

// Words in small letters: split where letters end and where small letters are followed by a capital.
std::vector<std::string> WordsOf(std::string_view name) {
  std::vector<std::string> words(1);
  bool small_before = false;
  for (const char c : name) {
    const bool small = c >= 'a' && c <= 'z', capital = c >= 'A' && c <= 'Z';
    if (!small && !capital) {
      if (!words.back().empty()) words.emplace_back();
    } else {
      if (capital && small_before && !words.back().empty()) words.emplace_back();
      words.back().push_back(capital ? static_cast<char>(c - 'A' + 'a') : c);
    }
    small_before = small;
  }
  return words;
}

}  // namespace

bool IsAddressName(std::string_view name) {
  const std::vector<std::string> words = WordsOf(name);
  std::string joined;
  for (const std::string& word : words) joined += word;
  const auto within = [&](std::string_view stem) { return joined.find(stem) != std::string::npos; };
  if (std::ranges::any_of(kOthers, within)) return false;
  return std::ranges::any_of(kStems, within) || std::ranges::any_of(words, [](const std::string& word) {
           return std::ranges::find(kWords, word) != kWords.end();
         });
}

}  // namespace sluis::linker
