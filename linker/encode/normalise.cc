#include "linker/encode/normalise.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <utility>

#include "linker/encode/name.h"
#include "linker/encode/phonetic.h"

namespace sluis::linker {
namespace {

using Component = std::optional<std::string>;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsUtf8(std::string_view text) {
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, length, c);
    if (c < 0) {
      return false;
    }
  }
  return true;
}

Component NormaliseBsn(std::string_view value) {
  std::string digits;
  for (const char c : value) {
    if (IsDigit(c)) {
      digits.push_back(c);
    } else if (c != ' ' && c != '.' && c != '-') {
      return std::nullopt;
    }
  }
  if (digits.size() == 8) {
    digits.insert(0, 1, '0');
  }
  if (digits.size() != 9 || digits == "000000000") {
    return std::nullopt;
  }
  // The eleven test: 9 a + 8 b + ... + 2 h - i is a multiple of 11.
  int sum = -(digits[8] - '0');
  for (int i = 0; i < 8; ++i) {
    sum += (9 - i) * (digits[static_cast<std::size_t>(i)] - '0');
  }
  return sum % 11 == 0 ? Component(std::move(digits)) : std::nullopt;
}

Component NormaliseDate(std::string_view value) {
  std::string digits;
  if (value.size() == 10 && value[4] == '-' && value[7] == '-') {
    digits.append(value.substr(0, 4)).append(value.substr(5, 2)).append(value.substr(8, 2));
  } else if (value.size() == 8) {
    digits = value;
  } else {
    return std::nullopt;
  }
  if (!std::ranges::all_of(digits, IsDigit)) {
    return std::nullopt;
  }
  const auto number = [&](std::size_t from, std::size_t size) {
    int n = 0;
    for (std::size_t i = from; i < from + size; ++i) {
      n = 10 * n + (digits[i] - '0');
    }
    return n;
  };
  const int year = number(0, 4);
  const int month = number(4, 2);
  const int day = number(6, 2);
  if (year == 0 || month < 1 || month > 12) {
    return std::nullopt;
  }
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int last = month == 2 && leap ? 29 : kDays[month - 1];
  return day >= 1 && day <= last ? Component(std::move(digits)) : std::nullopt;
}

std::string UpperWithoutSpaces(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (!IsSpace(c)) {
      out.push_back(Upper(c));
    }
  }
  return out;
}

Component NormaliseSex(std::string_view value) {
  const std::string code = UpperWithoutSpaces(value);
  for (const char* male : {"M", "MAN", "MALE", "1"}) {
    if (code == male) {
      return "M";
    }
  }
  for (const char* female : {"V", "W", "F", "VROUW", "WOMAN", "FEMALE", "2"}) {
    if (code == female) {
      return "F";
    }
  }
  return std::nullopt;
}

Component NormalisePostcode(std::string_view value, bool letters_wanted) {
  std::string code = UpperWithoutSpaces(value);
  if ((code.size() != 6 && (letters_wanted || code.size() != 4)) || code[0] == '0' ||
      !std::all_of(code.begin(), code.begin() + 4, IsDigit)) {
    return std::nullopt;
  }
  if (code.size() == 6) {
    const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
    const std::string letters = code.substr(4);
    if (!std::ranges::all_of(letters, is_letter) || letters == "SA" || letters == "SD" || letters == "SS") {
      return std::nullopt;
    }
  }
  if (!letters_wanted) {
    code.resize(4);
  }
  return code;
}

// Appends `c` to `out`, white space as one space between words only.
class SpaceCollapser {
 public:
  explicit SpaceCollapser(std::string& out) : out_(out) {}
  void Space() { pending_ = !out_.empty(); }
  std::string& BeforeLetter() {
    if (std::exchange(pending_, false)) {
      out_.push_back(' ');
    }
    return out_;
  }

 private:
  std::string& out_;
  bool pending_ = false;
};

absl::StatusOr<Component> NormaliseText(std::string_view value) {
  std::string out;
  SpaceCollapser collapser(out);
  if (IsAscii(value)) {
    for (const char c : value) {
      if (IsSpace(c)) {
        collapser.Space();
      } else {
        collapser.BeforeLetter().push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
      }
    }
  } else {
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* folding = icu::Normalizer2::getNFKCCasefoldInstance(error);
    const auto source =
        icu::UnicodeString::fromUTF8(icu::StringPiece(value.data(), static_cast<std::int32_t>(value.size())));
    const icu::UnicodeString folded = U_SUCCESS(error) ? folding->normalize(source, error) : source;
    if (U_FAILURE(error)) {
      return absl::InternalError("Unicode normalisation failed: is ICU's data installed?");
    }
    for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
      const UChar32 c = folded.char32At(i);
      if (u_isUWhiteSpace(c)) {
        collapser.Space();
      } else {
        icu::UnicodeString(c).toUTF8String(collapser.BeforeLetter());
      }
    }
  }
  return out.empty() ? std::nullopt : Component(std::move(out));
}

}  // namespace

absl::StatusOr<Component> Normalise(common::Normaliser normaliser, std::string_view value) {
  if (value.size() > kMaxComponentBytes) {
    return absl::InvalidArgumentError("value is longer than " + std::to_string(kMaxComponentBytes) +
                                      " bytes: not a component of a match key");
  }
  if (!IsUtf8(value)) {
    return absl::InvalidArgumentError("value is not valid UTF-8: declare the encoding of the extract in its schema");
  }
  while (!value.empty() && IsSpace(value.front())) {
    value.remove_prefix(1);
  }
  while (!value.empty() && IsSpace(value.back())) {
    value.remove_suffix(1);
  }
  switch (normaliser) {
    case common::Normaliser::kBsn:
      return NormaliseBsn(value);
    case common::Normaliser::kDate:
      return NormaliseDate(value);
    case common::Normaliser::kSex:
      return NormaliseSex(value);
    case common::Normaliser::kName:
      return NormaliseName(value);
    case common::Normaliser::kPhoneticName: {
      absl::StatusOr<Component> name = NormaliseName(value);
      if (name.ok() && name->has_value()) {
        return Component(DutchPhoneticCode(**name));
      }
      return name;
    }
    case common::Normaliser::kPostcode6:
      return NormalisePostcode(value, /*letters_wanted=*/true);
    case common::Normaliser::kPostcode4:
      return NormalisePostcode(value, /*letters_wanted=*/false);
    case common::Normaliser::kText:
      return NormaliseText(value);
  }
  return absl::InternalError("unknown normaliser");
}

}  // namespace sluis::linker
