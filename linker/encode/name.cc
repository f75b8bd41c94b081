#include "linker/encode/name.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "linker/encode/letters.h"

namespace sluis::linker {
namespace {

// Words that stand before a surname and that registers hold apart: the single words of the Dutch population register's
// table of prefixes (landelijke tabel 36), with common abbreviations. Sorted.
constexpr std::string_view kPrefixes[] = {
    "AAN",   "AF",  "AL",  "AM",   "AUF",   "BIJ", "BOVEN", "D",    "DA",   "DAL", "DALLA", "DAS",   "DE",
    "DEGLI", "DEI", "DEL", "DELA", "DELLA", "DEN", "DER",   "DES",  "DI",   "DO",  "DOS",   "DU",    "EL",
    "GEN",   "HET", "IM",  "IN",   "L",     "LA",  "LAS",   "LE",   "LES",  "LO",  "LOS",   "ONDER", "OP",
    "OVER",  "S",   "T",   "TE",   "TEN",   "TER", "THO",   "THOE", "TO",   "TOE", "TOT",   "UIJT",  "UIT",
    "UNTER", "V",   "VAN", "VD",   "VDR",   "VER", "VOM",   "VON",  "VOOR", "VOR", "ZU",    "ZUM",   "ZUR"};

// Those that also occur behind the name, as in "Berg, van der". Sorted.
constexpr std::string_view kTrailingPrefixes[] = {"AAN", "D",  "DE",  "DEN", "DER", "DES", "HET", "IN",  "OP", "S",
                                                  "T",   "TE", "TEN", "TER", "V",   "VAN", "VD",  "VDR", "VON"};

// Parts of a name that never stand alone, so that a hyphen after them does not begin another name. Sorted.
constexpr std::string_view kJoined[] = {"ABD", "ABDEL", "ABDOEL", "ABDUL", "ABOU", "ABU", "AIT", "BEN",
                                        "BIN", "BINT",  "BOU",    "HADJ",  "HAJ",  "IBN", "MAC", "MC",
                                        "O",   "OULD",  "OUM",    "SAINT", "SINT", "ST",  "UM",  "UMM"};

static_assert(std::ranges::is_sorted(kPrefixes) && std::ranges::is_sorted(kTrailingPrefixes) &&
              std::ranges::is_sorted(kJoined));

bool IsPrefix(std::string_view word) { return IsNamePrefix(word); }

// Upper case letters stay, separators become ' ', '\'' or '-', all else vanishes.
void AppendAscii(std::string& out, char c) {
  if (c >= 'a' && c <= 'z') {
    out.push_back(static_cast<char>(c - 'a' + 'A'));
  } else if ((c >= 'A' && c <= 'Z') || c == '-') {
    out.push_back(c);
  } else if (c == '\'' || c == '`') {
    out.push_back('\'');
  } else if (c == ' ' || (c >= '\t' && c <= '\r') || c == '.' || c == ',' || c == '/' || c == '_') {
    out.push_back(' ');
  }
}

void AppendUnicode(std::string& out, UChar32 c) {
  if (c < 0x80) {
    AppendAscii(out, static_cast<char>(c));
    return;
  }
  if (const std::string_view spelling = AsciiSpelling(c); !spelling.empty()) {
    out += spelling;
  } else if (IsApostrophe(c)) {
    out.push_back('\'');
  } else if (u_isUWhiteSpace(c)) {
    out.push_back(' ');
  } else if (u_charType(c) == U_DASH_PUNCTUATION || c == 0x2212) {
    out.push_back('-');
  } else if (u_isalpha(c)) {
    icu::UnicodeString(u_toupper(c)).toUTF8String(out);
  }
}

absl::StatusOr<std::string> Fold(std::string_view value) {
  std::string out;
  out.reserve(value.size() + 8);
  if (std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    for (const char c : value) {
      AppendAscii(out, c);
    }
    return out;
  }
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkd = icu::Normalizer2::getNFKDInstance(error);
  if (U_FAILURE(error)) {
    return absl::InternalError("Unicode normalisation failed: is ICU's data installed?");
  }
  const auto length = static_cast<std::int32_t>(value.size());
  icu::UnicodeString source;
  for (std::int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT(value.data(), i, length, c);
    if (c < 0) {
      return absl::InvalidArgumentError("value is not valid UTF-8: declare the encoding of the extract in its schema");
    }
    // The free-standing acute accent, often typed as apostrophe, would decompose to a space.
    source.append(c == 0x00B4 ? UChar32{'\''} : c);
  }
  const icu::UnicodeString decomposed = nfkd->normalize(source, error);
  if (U_FAILURE(error)) {
    return absl::InternalError("Unicode normalisation failed: is ICU's data installed?");
  }
  for (std::int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
    AppendUnicode(out, decomposed.char32At(i));
  }
  return out;
}

using Words = std::vector<std::string_view>;

// Splits a folded name at hyphens into its parts and these into words. `letters` receives the words' characters.
std::vector<Words> Split(std::string_view folded, std::string& letters) {
  std::vector<Words> parts(1);
  letters.reserve(folded.size());  // no reallocation: the words point into it
  std::size_t begin = 0;
  const auto end_word = [&] {
    if (letters.size() > begin) {
      parts.back().push_back(std::string_view(letters).substr(begin));
      begin = letters.size();
    }
  };
  for (const char c : folded) {
    if (c == ' ') {
      end_word();
    } else if (c == '\'') {
      if (IsPrefix(std::string_view(letters).substr(begin))) {
        end_word();
      }
    } else if (c == '-') {
      end_word();
      if (!parts.back().empty() && !IsPrefix(parts.back().back()) &&
          !std::ranges::binary_search(kJoined, parts.back().back())) {
        parts.emplace_back();
      }
    } else {
      letters.push_back(c);
    }
  }
  end_word();
  return parts;
}

void DropPrefixes(Words& words) {
  while (words.size() > 1 && std::ranges::binary_search(kTrailingPrefixes, words.back())) {
    words.pop_back();
  }
  const auto first = std::ranges::find_if_not(words, IsPrefix);
  words.erase(words.begin(), first == words.end() && !words.empty() ? std::prev(words.end()) : first);
}

}  // namespace

bool IsNamePrefix(std::string_view word) { return std::ranges::binary_search(kPrefixes, word); }

absl::StatusOr<std::optional<std::string>> NormaliseName(std::string_view value) {
  absl::StatusOr<std::string> folded = Fold(value);
  if (!folded.ok()) {
    return folded.status();
  }
  std::string letters;
  std::vector<Words> parts = Split(*folded, letters);
  // The last part that is more than prefixes.
  while (parts.size() > 1 && std::ranges::all_of(parts.back(), IsPrefix)) {
    parts.pop_back();
  }
  DropPrefixes(parts.back());
  std::string name;
  name.reserve(letters.size());
  for (const std::string_view word : parts.back()) {
    for (const char c : word) {
      if (c == 'J' && !name.empty() && name.back() == 'I') {
        name.back() = 'Y';
      } else {
        name.push_back(c);
      }
    }
  }
  return name.empty() ? std::optional<std::string>() : std::optional<std::string>(std::move(name));
}

}  // namespace sluis::linker
