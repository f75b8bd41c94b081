#include "cli/generate/names.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "cli/generate/name_lists.h"

namespace sluis::cli {
namespace {

struct Range {
  std::size_t first = 0;
  std::size_t size = 0;
};

std::vector<std::string> Split(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    items.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return items;
}

struct Tables {
  std::vector<Name> surnames;
  std::vector<Name> given;
  std::array<Range, kOrigins - 1> surnames_of;
  std::array<Range, kOrigins - 1> male_of;
  std::array<Range, kOrigins - 1> female_of;
  // Dutch surnames made of a prefix and a place, and of two parts.
  Range prefixed;
  Range compound;
};

Range AppendNames(const std::vector<std::string>& names, std::vector<Name>& to) {
  const Range range{to.size(), names.size()};
  for (const std::string& name : names) {
    to.push_back({name, ToCp1252(name), ToAsciiUpper(name)});
  }
  return range;
}

std::vector<std::string> Combine(std::string_view first, std::string_view joint, std::string_view second) {
  std::vector<std::string> names;
  const std::vector<std::string> seconds = Split(second);
  for (const std::string& a : Split(first)) {
    for (const std::string& b : seconds) {
      names.push_back(a + std::string(joint) + b);
    }
  }
  return names;
}

const Tables& NameTables() {
  static const Tables* const tables = [] {
    auto* t = new Tables;
    for (std::size_t origin = 0; origin < kNameLists.size(); ++origin) {
      t->surnames_of[origin] = AppendNames(Split(kNameLists[origin].surnames), t->surnames);
      t->male_of[origin] = AppendNames(Split(kNameLists[origin].male), t->given);
      t->female_of[origin] = AppendNames(Split(kNameLists[origin].female), t->given);
    }
    t->prefixed = AppendNames(Combine(kDutchPrefixes, " ", kDutchPlaces), t->surnames);
    t->compound = AppendNames(Combine(kDutchFirstParts, "", kDutchSecondParts), t->surnames);
    return t;
  }();
  return *tables;
}

std::uint16_t DrawFrom(Random& random, Range range) {
  return static_cast<std::uint16_t>(range.first + random.Skewed(range.size));
}

Origin NamedOrigin(Random& random, Origin origin) {
  return origin == Origin::kUnknown ? static_cast<Origin>(1 + random.Below(kOrigins - 2)) : origin;
}

// The letters outside ASCII that the lists hold, and the ASCII letters that stand for them.
struct Folding {
  char32_t letter;
  char ascii;
};
constexpr auto kFoldings = std::to_array<Folding>({
    {U'ç', 'c'}, {U'Ç', 'C'}, {U'ğ', 'g'}, {U'ı', 'i'}, {U'İ', 'I'}, {U'ö', 'o'}, {U'Ö', 'O'}, {U'ş', 's'},
    {U'Ş', 'S'}, {U'ü', 'u'}, {U'Ü', 'U'}, {U'á', 'a'}, {U'à', 'a'}, {U'ã', 'a'}, {U'ą', 'a'}, {U'ć', 'c'},
    {U'č', 'c'}, {U'é', 'e'}, {U'è', 'e'}, {U'ê', 'e'}, {U'ë', 'e'}, {U'ę', 'e'}, {U'É', 'E'}, {U'í', 'i'},
    {U'ï', 'i'}, {U'ł', 'l'}, {U'Ł', 'L'}, {U'ń', 'n'}, {U'ñ', 'n'}, {U'ó', 'o'}, {U'ř', 'r'}, {U'ś', 's'},
    {U'š', 's'}, {U'ú', 'u'}, {U'ź', 'z'}, {U'ż', 'z'}, {U'ž', 'z'},
});

char FoldLetter(char32_t letter) {
  const auto* found =
      std::find_if(kFoldings.begin(), kFoldings.end(), [&](const Folding& f) { return f.letter == letter; });
  return found == kFoldings.end() ? '?' : found->ascii;
}

// Decodes the two-byte UTF-8 letter at `i`: all letters of the lists are below U+0800.
char32_t TwoByteLetter(std::string_view utf8, std::size_t i) {
  return (static_cast<char32_t>(static_cast<unsigned char>(utf8[i]) & 0x1F) << 6) |
         (static_cast<unsigned char>(utf8[i + 1]) & 0x3F);
}

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace

std::string ToCp1252(std::string_view utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (IsAscii(utf8[i])) {
      out.push_back(utf8[i]);
      continue;
    }
    const char32_t letter = TwoByteLetter(utf8, i++);
    if (letter >= 0xA0 && letter <= 0xFF) {
      out.push_back(static_cast<char>(letter));
    } else if (letter == U'š' || letter == U'ž') {
      out.push_back(static_cast<char>(letter == U'š' ? 0x9A : 0x9E));
    } else {
      out.push_back(FoldLetter(letter));
    }
  }
  return out;
}

std::string ToAsciiUpper(std::string_view utf8) {
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const char c = IsAscii(utf8[i]) ? utf8[i] : FoldLetter(TwoByteLetter(utf8, i));
    i += IsAscii(utf8[i]) ? 0 : 1;
    out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

const std::vector<Name>& Surnames() { return NameTables().surnames; }
const std::vector<Name>& GivenNames() { return NameTables().given; }

std::uint16_t DrawSurname(Random& random, Origin origin) {
  const Tables& tables = NameTables();
  const Origin named = NamedOrigin(random, origin);
  if (named == Origin::kNetherlands) {
    const std::uint32_t kind = random.Below(10);
    if (kind < 6) {
      return DrawFrom(random, kind < 3 ? tables.prefixed : tables.compound);
    }
  }
  return DrawFrom(random, tables.surnames_of[static_cast<std::size_t>(named)]);
}

std::uint16_t DrawGivenName(Random& random, Origin origin, bool female) {
  const Tables& tables = NameTables();
  const auto named = static_cast<std::size_t>(NamedOrigin(random, origin));
  return DrawFrom(random, female ? tables.female_of[named] : tables.male_of[named]);
}

const std::vector<std::string>& Streets() {
  static const auto* const streets = new std::vector<std::string>(Combine(kStreetFirstParts, "", kStreetSecondParts));
  return *streets;
}

}  // namespace sluis::cli
