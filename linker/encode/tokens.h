#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/encode/encoding_plan.h"

namespace sluis::linker {

// A longer value is refused before any work is done on it.
inline constexpr std::size_t kMaxTokenisedBytes = 1024;

// Tokens of one value in one buffer, so that a record is tokenised without allocation once the buffers have grown.
class TokenList {
 public:
  void Clear();
  std::size_t size() const { return tokens_.size(); }
  bool empty() const { return tokens_.empty(); }
  std::string_view operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : tokens_[index - 1].end;
    return std::string_view(chars_).substr(begin, tokens_[index].end - begin);
  }
  // Appends a token; one that is there already gets a number, so that all tokens of a list differ ("ababa" has the
  // token ab and the token ab, second).
  void Add(std::string_view token);
  // Appends a token of a group in which no token occurs twice, such as one with its place. Precondition: not there yet.
  void AddUnique(std::string_view token) { Append(token, ~std::uint64_t{0}); }

 private:
  void Append(std::string_view token, std::uint64_t head);

  std::string chars_;
  struct Token {
    std::uint64_t head;   // its first seven bytes and its length: most differ here
    std::size_t end;      // in chars_
    std::uint32_t count;  // occurrences, kept at the first one
  };
  std::vector<Token> tokens_;
  std::uint64_t seen_ = 0;  // a bit for each head that was added, by its hash: most new ones are told without a search
};

// Turns values into tokens: values that people would take for the same with a slip share most of them. Every token
// begins with a letter for its group, so that groups do not meet. How many tokens a value has does not change how many
// bits it sets (record_encoder.h), so a group's share of the tokens is its share of the feature.
//
//   kName      Words after folding (below). Each word that is a prefix (van, der, de, el ...; the list of name.h) is
//              one token, unless the name is nothing else; the others give their padded bigrams, a word apart from the
//              other, so that the order of words hardly matters. Then one token in six, at least one, is the phonetic
//              code of the name without prefixes (phonetic.h).
//   kText      padded bigrams of the folded value, words apart
//   kCategory  one token, the folded value
//   kDate      Of the eight digits yyyymmdd each digit with its place and each pair of neighbours with its place; the
//              year and the day, each with its neighbours; and {min, max} of day and month, which survives their
//              exchange. Whether the day exists does not matter. What cannot be read as a date, in the schema's order
//              of parts, gives its digits with their places: dirty data must not lose the record.
//   kDigits    letters and digits of the value: padded bigrams, and each of the first 32 with its place
//   kNumber    a decimal number (point or comma, no grouping, up to 15 digits before it): its bucket on a logarithmic
//   scale (16 an octave) and the two on either side, the
//              bucket four times as wide with one on either side, and the padded bigrams of its integer part. What
//              cannot be read as one gives the bigrams of its digits.
//
// Folding: NFKD, combining marks dropped, letters that do not decompose spelled out (ß ss, ø o ...), case folded;
// apostrophes vanish, anything else that is neither letter nor digit separates words; one space between words.
//
// Missing is no token at all, never one that stands for missing: an empty value, and one of which folding leaves
// nothing (for dates and numbers: without a digit). No result is longer than three tokens per byte of the value
// plus 32. Errors: INVALID_ARGUMENT if `value` is longer than kMaxTokenisedBytes or no valid UTF-8. The message does
// not hold it. Pure, thread-safe. Versioned with kTokenLabel (token_seeds.h): a changed rule is a new label.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> Tokenise(FeatureKind kind, std::string_view value,
                                                                DateOrder order = DateOrder::kYearFirst);

// The same into `out`, which is cleared first.
[[nodiscard]] absl::Status TokeniseInto(FeatureKind kind, std::string_view value, DateOrder order, TokenList& out);

// Returns what salts the tokens of a record whose salt feature has `value`: of a date the year, else the folded value;
// empty if missing. Errors as Tokenise.
[[nodiscard]] absl::StatusOr<std::string> SaltOf(FeatureKind kind, std::string_view value,
                                                 DateOrder order = DateOrder::kYearFirst);

}  // namespace sluis::linker
