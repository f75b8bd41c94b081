#include "linker/encode/tokens.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "common/status/status.h"
#include "linker/encode/fold.h"
#include "linker/encode/name.h"
#include "linker/encode/phonetic.h"

namespace sluis::linker {
namespace {

// Not in folded text, so that a number never makes one token another's.
constexpr char kNumberSeparator = '\x1f';
constexpr std::size_t kMaxPlaces = 32;
constexpr std::size_t kMaxDateDigits = 16;
constexpr std::size_t kBigramsPerPhoneticToken = 6;
// A scaled number stays below 2^63.
constexpr std::size_t kMaxIntegerDigits = 15;

// The groups of tokens.
constexpr char kBigram = 'b';
constexpr char kPrefixWord = 'w';
constexpr char kPhonetic = 'p';
constexpr char kWhole = 'c';
constexpr char kPlaced = 'd';
constexpr char kPlacedPair = 'e';
constexpr char kYear = 'y';
constexpr char kDay = 't';
constexpr char kDayAndMonth = 's';
constexpr char kBucket = 'n';
constexpr char kWideBucket = 'm';

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char PlaceOf(std::size_t index) { return static_cast<char>('A' + index); }  // up to '`'

// Bytes of the UTF-8 character at `at`; the text is valid.
std::size_t CharacterSize(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

class Tokeniser {
 public:
  explicit Tokeniser(TokenList& out) : out_(out) {}

  void AddOne(char group, std::string_view text) {
    token_.assign(1, group);
    token_ += text;
    out_.Add(token_);
  }

  // Bigrams of characters of " text ": a space is its own padding.
  void AddBigrams(std::string_view text) {
    if (text.empty()) return;
    std::string_view previous = " ";
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = CharacterSize(text, at);
      const std::string_view current = text.substr(at, size);
      AddPair(previous, current);
      previous = current;
      at += size;
    }
    AddPair(previous, " ");
  }

  void AddPlaced(std::string_view text, std::size_t places) {
    std::size_t place = 0;
    for (std::size_t at = 0; at < text.size() && place < places; ++place) {
      const std::size_t size = CharacterSize(text, at);
      token_.assign({kPlaced, PlaceOf(place)});
      token_ += text.substr(at, size);
      out_.AddUnique(token_);
      at += size;
    }
  }

  void AddPlacedDigitPairs(std::string_view digits) {
    for (std::size_t i = 0; i + 1 < digits.size() && i < kMaxPlaces; ++i) {
      token_.assign({kPlacedPair, PlaceOf(i), digits[i], digits[i + 1]});
      out_.AddUnique(token_);
    }
  }

  void AddNumber(char group, char sign, std::int64_t number) {
    token_.assign({group, sign});
    token_ += std::to_string(number);
    out_.AddUnique(token_);
  }

 private:
  void AddPair(std::string_view first, std::string_view second) {
    token_.assign(1, kBigram);
    token_ += first;
    token_ += second;
    out_.Add(token_);
  }

  TokenList& out_;
  std::string token_;
};

std::string UpperAscii(std::string_view folded) {
  std::string upper(folded);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

void AddName(std::string_view folded, Tokeniser& tokens, const TokenList& out) {
  std::string name;  // without prefixes
  std::string_view last_prefix;
  std::vector<std::string_view> prefixes;
  for (std::size_t at = 0; at < folded.size();) {
    const std::size_t end = std::min(folded.find(' ', at), folded.size());
    const std::string_view word = folded.substr(at, end - at);
    if (IsNamePrefix(UpperAscii(word))) {
      prefixes.push_back(word);
    } else {
      if (!name.empty()) name.push_back(' ');
      name += word;
    }
    at = end + 1;
  }
  if (name.empty() && !prefixes.empty()) {
    name = prefixes.back();
    prefixes.pop_back();
  }
  tokens.AddBigrams(name);
  const std::size_t bigrams = out.size();
  for (const std::string_view prefix : prefixes) {
    tokens.AddOne(kPrefixWord, prefix);
  }
  std::string letters;  // as DutchPhoneticCode wants them: joined, IJ as Y
  for (const char c : UpperAscii(name)) {
    if (c == 'J' && !letters.empty() && letters.back() == 'I') {
      letters.back() = 'Y';
    } else if (c != ' ' && !IsDigit(c)) {
      letters.push_back(c);
    }
  }
  const std::string code = DutchPhoneticCode(letters);
  for (std::size_t i = 0; !code.empty() && i < std::max<std::size_t>(1, bigrams / kBigramsPerPhoneticToken); ++i) {
    tokens.AddOne(kPhonetic, code);
  }
}

// The groups of digits of `value`, at most four (a fourth means: not a date).
std::vector<std::string_view> DigitGroups(std::string_view value) {
  std::vector<std::string_view> groups;
  for (std::size_t at = 0; at < value.size() && groups.size() < 4;) {
    if (!IsDigit(value[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < value.size() && IsDigit(value[end])) ++end;
    groups.push_back(value.substr(at, end - at));
    at = end;
  }
  return groups;
}

// yyyymmdd, or nullopt if `value` has not the form of a date. Whether such a day exists does not matter.
std::optional<std::string> DateDigits(std::string_view value, DateOrder order) {
  const std::vector<std::string_view> groups = DigitGroups(value);
  const auto two = [](std::string_view digits) {
    return digits.size() == 1 ? "0" + std::string(digits) : std::string(digits);
  };
  if (groups.size() == 1 && groups[0].size() == 8) {
    const std::string_view d = groups[0];
    switch (order) {
      case DateOrder::kYearFirst:
        return std::string(d);
      case DateOrder::kDayFirst:
        return std::string(d.substr(4)) + std::string(d.substr(2, 2)) + std::string(d.substr(0, 2));
      case DateOrder::kMonthFirst:
        return std::string(d.substr(4)) + std::string(d.substr(0, 4));
    }
  }
  if (groups.size() != 3) return std::nullopt;
  const auto is_short = [&](std::size_t i) { return groups[i].size() <= 2; };
  if (groups[0].size() == 4 && is_short(1) && is_short(2)) {
    return std::string(groups[0]) + two(groups[1]) + two(groups[2]);
  }
  if (groups[2].size() == 4 && is_short(0) && is_short(1)) {
    const bool month_first = order == DateOrder::kMonthFirst;
    return std::string(groups[2]) + two(groups[month_first ? 0 : 1]) + two(groups[month_first ? 1 : 0]);
  }
  return std::nullopt;
}

std::string DigitsOf(std::string_view value, std::size_t limit) {
  std::string digits;
  for (const char c : value) {
    if (IsDigit(c) && digits.size() < limit) digits.push_back(c);
  }
  return digits;
}

void AddDate(std::string_view folded, DateOrder order, Tokeniser& tokens) {
  const std::optional<std::string> date = DateDigits(folded, order);
  const std::string digits = date.has_value() ? *date : DigitsOf(folded, kMaxDateDigits);
  tokens.AddPlaced(digits, kMaxDateDigits);
  tokens.AddPlacedDigitPairs(digits);
  if (!date.has_value()) return;
  const int year = std::stoi(digits.substr(0, 4)), month = std::stoi(digits.substr(4, 2)),
            day = std::stoi(digits.substr(6));
  for (int step = -1; step <= 1; ++step) {
    tokens.AddNumber(kYear, '+', year + step);
    tokens.AddNumber(kDay, '+', day + step);
  }
  tokens.AddNumber(kDayAndMonth, '+', std::min(day, month) * 100 + std::max(day, month));
}

struct Decimal {
  bool negative = false;
  std::int64_t thousandths = 0;
  std::string integer;
};

std::optional<Decimal> ParseDecimal(std::string_view value) {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  Decimal decimal;
  if (!value.empty() && (value.front() == '-' || value.front() == '+')) {
    decimal.negative = value.front() == '-';
    value.remove_prefix(1);
  }
  const std::size_t point = std::min(value.find_first_of(".,"), value.size());
  std::string_view integer = value.substr(0, point);
  const std::string_view fraction = value.substr(std::min(point + 1, value.size()));
  if (integer.empty() || !std::ranges::all_of(integer, IsDigit) || !std::ranges::all_of(fraction, IsDigit)) {
    return std::nullopt;
  }
  while (integer.size() > 1 && integer.front() == '0') integer.remove_prefix(1);
  if (integer.size() > kMaxIntegerDigits) return std::nullopt;
  decimal.integer = integer;
  std::string scaled(integer);
  for (std::size_t i = 0; i < 3; ++i) scaled.push_back(i < fraction.size() ? fraction[i] : '0');
  decimal.thousandths = std::stoll(scaled);
  decimal.negative = decimal.negative && decimal.thousandths != 0;
  return decimal;
}

// Buckets of equal width within an octave, 16 of them; below 16 thousandths each number is one. In integers, so that
// all machines agree.
std::int64_t BucketOf(std::int64_t thousandths) {
  const auto value = static_cast<std::uint64_t>(thousandths);
  if (value < 16) return thousandths;
  const int exponent = static_cast<int>(std::bit_width(value)) - 1;
  return (exponent - 3) * 16 + static_cast<std::int64_t>(value >> (exponent - 4) & 15);
}

void AddDecimal(std::string_view value, std::string_view folded, Tokeniser& tokens) {
  const std::optional<Decimal> decimal = ParseDecimal(value);
  if (!decimal.has_value()) {
    tokens.AddBigrams(DigitsOf(folded, kMaxTokenisedBytes));
    return;
  }
  const char sign = decimal->negative ? '-' : '+';
  const std::int64_t bucket = BucketOf(decimal->thousandths);
  for (std::int64_t step = -2; step <= 2; ++step) tokens.AddNumber(kBucket, sign, bucket + step);
  for (std::int64_t step = -1; step <= 1; ++step) tokens.AddNumber(kWideBucket, sign, bucket / 4 + step);
  tokens.AddBigrams(decimal->integer);
}

void RemoveSpaces(std::string& text) { std::erase(text, ' '); }

}  // namespace

void TokenList::Clear() {
  chars_.clear();
  tokens_.clear();
  seen_ = 0;
}

void TokenList::Append(std::string_view token, std::uint64_t head) {
  chars_ += token;
  tokens_.push_back({head, chars_.size(), 1});
}

void TokenList::Add(std::string_view token) {
  std::uint64_t head = token.size() << 56;
  std::memcpy(&head, token.data(), std::min<std::size_t>(token.size(), 7));
  const std::uint64_t bit = std::uint64_t{1} << (head * 0x9E3779B97F4A7C15 >> 58);
  const bool may_be_there = (seen_ & bit) != 0;
  seen_ |= bit;
  for (std::size_t i = 0; may_be_there && i < tokens_.size(); ++i) {
    if (tokens_[i].head == head && (*this)[i] == token) {
      std::string numbered(token);
      numbered.push_back(kNumberSeparator);
      numbered += std::to_string(++tokens_[i].count);
      Append(numbered, ~std::uint64_t{0});  // only unnumbered tokens are looked up
      return;
    }
  }
  Append(token, head);
}

absl::Status TokeniseInto(FeatureKind kind, std::string_view value, DateOrder order, TokenList& out) {
  out.Clear();
  if (value.size() > kMaxTokenisedBytes) {
    return absl::InvalidArgumentError("value is longer than " + std::to_string(kMaxTokenisedBytes) + " bytes");
  }
  if (value.empty()) return absl::OkStatus();
  std::string folded;
  SLUIS_RETURN_IF_ERROR(FoldText(value, folded));
  if (folded.empty()) return absl::OkStatus();
  Tokeniser tokens(out);
  switch (kind) {
    case FeatureKind::kName:
      AddName(folded, tokens, out);
      return absl::OkStatus();
    case FeatureKind::kText:
      tokens.AddBigrams(folded);
      return absl::OkStatus();
    case FeatureKind::kCategory:
      tokens.AddOne(kWhole, folded);
      return absl::OkStatus();
    case FeatureKind::kDate:
      AddDate(folded, order, tokens);
      return absl::OkStatus();
    case FeatureKind::kDigits:
      RemoveSpaces(folded);
      tokens.AddBigrams(folded);
      tokens.AddPlaced(folded, kMaxPlaces);
      return absl::OkStatus();
    case FeatureKind::kNumber:
      AddDecimal(value, folded, tokens);
      return absl::OkStatus();
  }
  return absl::InternalError("unknown feature kind");
}

absl::StatusOr<std::vector<std::string>> Tokenise(FeatureKind kind, std::string_view value, DateOrder order) {
  TokenList list;
  SLUIS_RETURN_IF_ERROR(TokeniseInto(kind, value, order, list));
  std::vector<std::string> tokens;
  tokens.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) tokens.emplace_back(list[i]);
  return tokens;
}

absl::StatusOr<std::string> SaltOf(FeatureKind kind, std::string_view value, DateOrder order) {
  if (value.size() > kMaxTokenisedBytes) {
    return absl::InvalidArgumentError("value is longer than " + std::to_string(kMaxTokenisedBytes) + " bytes");
  }
  std::string folded;
  SLUIS_RETURN_IF_ERROR(FoldText(value, folded));
  if (kind != FeatureKind::kDate) return folded;
  const std::optional<std::string> date = DateDigits(folded, order);
  return date.has_value() ? date->substr(0, 4) : std::string();
}

}  // namespace sluis::linker
