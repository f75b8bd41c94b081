#include "linker/encode/phonetic.h"

#include <array>
#include <cstdint>

namespace sluis::linker {
namespace {

enum class Where : std::uint8_t { kAnywhere, kStart, kEnd };

struct Rule {
  std::string_view letters;
  Where where;
  std::string_view before;  // the next letter must be one of these; empty: anything
  std::string_view code;
};

constexpr Where kAnywhere = Where::kAnywhere;
constexpr Where kStart = Where::kStart;
constexpr Where kEnd = Where::kEnd;
constexpr std::string_view kVowels = "AEIOUY";
constexpr std::string_view kConsonants = "BCDFGJKLMNPQRSTVWXZ";

// Grouped by first letter; within a group the first that fits wins. A letter without a fitting rule stands for itself.
constexpr Rule kRules[] = {
    {"AAUW", kAnywhere, "", "1"},         // Blaauw, Blauw
    {"AAU", kAnywhere, "", "1"},          //
    {"AAI", kAnywhere, "", "5"},          // Kraai, Kraay
    {"AAY", kAnywhere, "", "5"},          //
    {"AUW", kAnywhere, "", "1"},          //
    {"AU", kAnywhere, "", "1"},           // Bauman, Bouman
    {"AI", kAnywhere, "", "Y"},           // Maier, Meijer
    {"AY", kAnywhere, "", "Y"},           //
    {"AE", kAnywhere, "", "A"},           // Claes, Klaas
    {"B", kEnd, "", "P"},                 // Jacob, Jacop
    {"CH", kAnywhere, "", "G"},           // Lichthart, Ligthart
    {"CK", kAnywhere, "", "K"},           // Ackerman, Akkerman
    {"C", kAnywhere, "EIY", "S"},         // Celik, Selik
    {"C", kAnywhere, "", "K"},            // Cuypers, Kuypers
    {"DH", kStart, "", "D"},              // Dhanraj
    {"DH", kAnywhere, "", "T"},           // Veldhuis, Velthuis
    {"DTH", kAnywhere, "", "T"},          //
    {"DT", kAnywhere, "", "T"},           // Brandt, Brand, Brant
    {"DJ", kAnywhere, "", "J"},           // Boudjemaa, Boujemaa
    {"DD", kEnd, "", "T"},                //
    {"D", kEnd, "", "T"},                 // Bogaerd, Bogaert
    {"D", kAnywhere, "S", "T"},           // Goudsmit, Goutsmit
    {"EEUW", kAnywhere, "", "EW"},        // Leeuwen, Leuwen
    {"EUW", kAnywhere, "", "EW"},         //
    {"EU", kAnywhere, "", "3"},           //
    {"EI", kAnywhere, "", "Y"},           // Meier, Meijer
    {"EY", kAnywhere, "", "Y"},           //
    {"GH", kAnywhere, "", "G"},           // Verhaeghe, Verhage
    {"IEUW", kAnywhere, "", "IW"},        // Nieuwland, Niewland
    {"IE", kAnywhere, "", "I"},           //
    {"KH", kAnywhere, "", "G"},           // Khalid, Chalid
    {"OEI", kAnywhere, "", "6"},          // Boei, Boeij
    {"OEY", kAnywhere, "", "6"},          //
    {"OE", kAnywhere, "", "U"},           // Soekarno, Sukarno
    {"OOI", kAnywhere, "", "4"},          // Kooi, Kooy, Koy
    {"OOY", kAnywhere, "", "4"},          //
    {"OI", kAnywhere, "", "4"},           //
    {"OY", kAnywhere, "", "4"},           //
    {"OUW", kAnywhere, "", "1"},          // Bouwman, Bouman
    {"OU", kAnywhere, "", "1"},           //
    {"PH", kAnywhere, "", "F"},           // Philips, Filips
    {"QU", kAnywhere, "", "KW"},          // Quist, Kwist
    {"Q", kAnywhere, "", "K"},            //
    {"RH", kAnywhere, "", "R"},           //
    {"SSCH", kAnywhere, "", "S"},         // Visscher, Visser
    {"SCH", kEnd, "", "S"},               // Bosch, Bos
    {"SCH", kAnywhere, "BDLMNPTW", "S"},  // Schmidt, Smit
    {"SCH", kAnywhere, "", "SG"},         // Schouten, Sgouten
    {"SC", kAnywhere, "EIY", "S"},        //
    {"SH", kAnywhere, "", "S"},           // Shahin, Sahin, Sjahin
    {"SJ", kAnywhere, "", "S"},           //
    {"SZ", kAnywhere, "", "S"},           // Lukasz, Lukas
    {"TSCH", kAnywhere, "", "TS"},        //
    {"TSJ", kAnywhere, "", "TS"},         //
    {"TH", kAnywhere, "", "T"},           // Thijssen, Tijssen
    {"TZ", kAnywhere, "", "TS"},          // Schultz, Schults
    {"UE", kAnywhere, "", "U"},           //
    {"UI", kAnywhere, "", "2"},           // Kuipers, Kuypers
    {"UY", kAnywhere, "", "2"},           //
    {"V", kAnywhere, "", "F"},            // Vries, Fries
    {"WR", kAnywhere, "", "FR"},          // Wreede, Vreede
    {"X", kAnywhere, "", "KS"},           // Hendrix, Hendriks
    {"Y", kStart, kVowels, "J"},          // Yilmaz, Jilmaz
    {"Z", kAnywhere, "", "S"},            // Zanten, Santen
};

struct Group {
  std::uint8_t begin = 0;
  std::uint8_t end = 0;
};

constexpr std::array<Group, 26> MakeGroups() {
  std::array<Group, 26> groups{};
  for (std::uint8_t i = 0; i < std::size(kRules); ++i) {
    Group& group = groups[static_cast<std::size_t>(kRules[i].letters[0] - 'A')];
    if (group.end == 0) {
      group.begin = i;
    }
    group.end = i + 1;
  }
  return groups;
}
constexpr std::array<Group, 26> kGroups = MakeGroups();

bool Contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

bool Fits(const Rule& rule, std::string_view name, std::size_t at) {
  if (name.compare(at, rule.letters.size(), rule.letters) != 0) {
    return false;
  }
  const std::size_t next = at + rule.letters.size();
  if ((rule.where == kStart && at != 0) || (rule.where == kEnd && next != name.size())) {
    return false;
  }
  return rule.before.empty() || (next < name.size() && Contains(rule.before, name[next]));
}

// An H is heard at the beginning of a name and between vowels only: Dahl, Mehmet and Langhout, but Mohamed.
bool IsSilentH(std::string_view name, std::size_t at) {
  return name[at] == 'H' && at != 0 &&
         (!Contains(kVowels, name[at - 1]) || at + 1 == name.size() || Contains(kConsonants, name[at + 1]));
}

void AppendCollapsed(std::string& code, std::string_view symbols) {
  for (const char c : symbols) {
    if (code.empty() || code.back() != c || static_cast<unsigned char>(c) >= 0x80) {
      code.push_back(c);
    }
  }
}

}  // namespace

std::string DutchPhoneticCode(std::string_view name) {
  std::string code;
  code.reserve(name.size() + 2);
  for (std::size_t at = 0; at < name.size();) {
    const char c = name[at];
    if (IsSilentH(name, at)) {
      ++at;
      continue;
    }
    const Group group = c >= 'A' && c <= 'Z' ? kGroups[static_cast<std::size_t>(c - 'A')] : Group{};
    std::size_t consumed = 0;
    for (std::uint8_t i = group.begin; i < group.end && consumed == 0; ++i) {
      if (Fits(kRules[i], name, at)) {
        AppendCollapsed(code, kRules[i].code);
        consumed = kRules[i].letters.size();
      }
    }
    if (consumed == 0) {
      AppendCollapsed(code, name.substr(at, 1));
      consumed = 1;
    }
    at += consumed;
  }
  if (code.size() >= 3 && code.ends_with("EN") && Contains(kConsonants, code[code.size() - 3])) {
    code.pop_back();
  }
  return code;
}

}  // namespace sluis::linker
