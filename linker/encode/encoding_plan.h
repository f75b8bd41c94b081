#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/bytes/secret.h"

// How a register's quasi-identifiers become similarity-preserving encodings. All custodians of a project use one plan;
// encodings of different plans cannot be compared, so the plan's digest travels with them.

namespace sluis::linker {

// How a value becomes tokens; see tokens.h.
enum class FeatureKind { kName, kText, kCategory, kDate, kDigits, kNumber };

// The order of the parts of a date without a leading four-digit year. yyyy-mm-dd is understood under each of them.
enum class DateOrder { kYearFirst, kDayFirst, kMonthFirst };

struct Feature {
  std::string name;  // the same in all registers: it goes into the tokens
  FeatureKind kind = FeatureKind::kText;
  double weight = 1;  // share of the encoding's bits, relative to the other features; a multiple of 0.001
  // A person keeps it when moving house (a name, a date of birth): in the stable section too, if the plan has one.
  bool stable = false;
};

// A column that could be encoded.
struct FieldDescription {
  std::string name;
  FeatureKind kind = FeatureKind::kText;
};

enum class EncodingProfile {
  kRecordLevel,  // one encoding per record, to which all features contribute
  kFieldLevel,   // one encoding per feature: links better, but a frequency attack reads frequent names
};

// How tokens set bits.
enum class Hashing {
  kRandom,             // each token sets bits at positions of its own, drawn from a keyed generator
  kTabulationMinHash,  // each bit is one hash bit of the token that comes first in that bit's keyed order
};

struct Hardening {
  int folds = 1;       // XOR-folds: the tokens set bits in `bits` * 2^folds positions, then halves are XORed
  double flip = 0.02;  // BLIP: the probability with which each bit is flipped, by a seed kept by the custodian
  std::string salt_feature = {};  // its value goes into each token's input, so that tokens of others do not compare
  int diffusion = 0;              // each bit is the XOR of so many bits at keyed positions; 0: none
  bool balanced = false;  // the complement is appended and all is permuted: as many ones as zeros, twice as long

  friend bool operator==(const Hardening&, const Hardening&) = default;
};

inline constexpr std::size_t kMaxFeatures = 64;
inline constexpr std::size_t kMinRecordLevelFeatures = 4;
inline constexpr std::size_t kMinStableFeatures = 3;
inline constexpr std::uint32_t kMaxRawBits = 16384;  // before folding

struct EncodingPlan {
  std::string label;  // for people: printable ASCII, 1 to 64 characters
  EncodingProfile profile = EncodingProfile::kRecordLevel;
  Hashing hashing = Hashing::kRandom;
  std::uint32_t bits = 1024;  // of one encoding, before `balanced` doubles it; a multiple of 64 in [64, 4096]
  // Bits that a record which has all features sets, before folding (record level), or that each feature sets in its own
  // encoding (field level). Fewer by the few that tokens have in common. Not used by min-hash, which fills half.
  std::uint32_t insertions = 400;
  // Bits of a second section, behind the first in the same encoding, to which only the stable features contribute; 0:
  // none. With it a person who moved is told from a relative at the old address, which one section over all features
  // does not: both agree in about half of it. Bits before folding are `stable_bits` << folds.
  std::uint32_t stable_bits = 0;
  std::uint32_t stable_insertions = 200;  // as `insertions`, over the stable features
  std::vector<Feature> features;
  Hardening hardening;
  // Admits a record-level plan of fewer than kMinRecordLevelFeatures features. Weaker: with one feature the encoding is
  // that of a field, and a frequency attack reads it. For tests and for data without anything to protect.
  bool allow_few_features = false;

  // Returns OK if records can be encoded by this plan. Errors: INVALID_ARGUMENT, naming the setting, its limit and,
  // where there is one, the feature: label, bits, insertions, weight, flip, folds or diffusion out of range; no
  // features, more than kMaxFeatures, unnamed or named twice; a record-level plan of too few; a salt feature that is
  // not among them; folding or diffusion with min-hash, which leaves them no bits to work on; a stable section of fewer
  // than kMinStableFeatures features, or at field level, with min-hash, diffusion or balancing.
  [[nodiscard]] absl::Status Validate() const;

  // Returns the plan as text: two valid plans give the same text if and only if they are equal. Begins with a format
  // version; numbers are exact (weights in thousandths, the flip probability in units of 2^-32). Precondition: valid.
  [[nodiscard]] std::string Canonical() const;

  // SHA-256 of Canonical(): what two registers must share to be compared.
  [[nodiscard]] common::Hash256 Digest() const;

  // Returns how many bits each feature sets, in the order of `features`. Record level: one each, and the rest of
  // `insertions` shared out by weight, by largest remainder (ties to the first), in integers and so equal on all
  // machines. Field level: `insertions` each. Precondition: valid.
  [[nodiscard]] std::vector<std::uint32_t> FeatureBits() const;

  // Returns likewise how many bits each feature sets in the stable section: 0 if it is not stable, or there is no such
  // section.
  [[nodiscard]] std::vector<std::uint32_t> StableFeatureBits() const;

  // Bits before folding, and of one finished encoding, whose stable section begins at FirstSectionBits().
  std::uint32_t RawBits() const { return bits << hardening.folds; }
  std::uint32_t StableRawBits() const { return stable_bits << hardening.folds; }
  std::uint32_t FirstSectionBits() const { return hardening.balanced ? 2 * bits : bits; }
  std::uint32_t EncodedBits() const { return FirstSectionBits() + stable_bits; }
  // Encodings of one record.
  std::size_t Encodings() const { return profile == EncodingProfile::kFieldLevel ? features.size() : 1; }
};

// Returns the probability in units of 2^-32, rounded to nearest: a bit is flipped if a uniform 32-bit word is below it.
// Precondition: 0 <= flip <= 0.5.
[[nodiscard]] std::uint32_t FlipThreshold(double flip);

// Returns what `stable_bits` is by default for the other settings of `plan`: 512 if three or more features are stable
// and two or more are not, and the plan can have such a section: at record level, by random hashing, without diffusion
// or balancing, where `bits` leave room for it. Else 0. What changes features, profile, hashing or hardening asks
// again.
[[nodiscard]] std::uint32_t DefaultStableBits(const EncodingPlan& plan);

// Returns the default record-level plan over `fields`: random hashing into 1,024 bits of which a full record sets about
// 400, one XOR-fold, BLIP with 0.02. Weights follow from the kinds alone: dates 1.2, names, text and numbers 1, digits
// 0.8, categories (enumerated or boolean) 0.25. Features are stable unless their name says that they are part of an
// address (field_names.h); `stable_bits` are DefaultStableBits. Not validated: fewer than four fields make a plan that
// Validate refuses.
[[nodiscard]] EncodingPlan DefaultPlan(std::span<const FieldDescription> fields);

// Makes `plan` a field-level one with the defaults of that profile: 512 bits a feature of which each sets 120, no folds
// and no flips, since equal values must have equal encodings for agreement levels and term frequencies.
void UseFieldLevel(EncodingPlan& plan);

}  // namespace sluis::linker
