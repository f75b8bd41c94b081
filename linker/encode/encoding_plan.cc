#include "linker/encode/encoding_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "common/crypto/crypto.h"
#include "linker/encode/field_names.h"

namespace sluis::linker {
namespace {

constexpr std::uint32_t kMinBits = 64;
constexpr std::uint32_t kMaxBits = 4096;
// Of one field at field level, where a value has some 5 to 20 tokens.
constexpr std::uint32_t kFieldBits = 512;
constexpr std::uint32_t kFieldInsertions = 120;
constexpr std::uint32_t kStableBits = 512;
constexpr std::size_t kLeastAddressFields = 2;  // fewer weigh too little to hide who moved
constexpr int kMaxFolds = 4;
constexpr int kMinDiffusion = 2, kMaxDiffusion = 16;
constexpr std::size_t kMaxLabel = 64;
constexpr std::size_t kMaxFeatureName = 128;
constexpr std::uint64_t kMinWeight = 1, kMaxWeight = 1'000'000;  // thousandths

std::uint64_t Thousandths(double weight) { return static_cast<std::uint64_t>(std::llround(weight * 1000)); }

bool IsThousandths(double weight) {
  return std::isfinite(weight) && weight > 0 && weight <= 1000 &&
         std::abs(weight * 1000 - std::round(weight * 1000)) < 1e-6 && Thousandths(weight) >= kMinWeight &&
         Thousandths(weight) <= kMaxWeight;
}

const char* NameOf(FeatureKind kind) {
  switch (kind) {
    case FeatureKind::kName:
      return "name";
    case FeatureKind::kText:
      return "text";
    case FeatureKind::kCategory:
      return "category";
    case FeatureKind::kDate:
      return "date";
    case FeatureKind::kDigits:
      return "digits";
    case FeatureKind::kNumber:
      return "number";
  }
  return "unknown";
}

double DefaultWeight(FeatureKind kind) {
  switch (kind) {
    case FeatureKind::kDate:
      return 1.2;
    case FeatureKind::kDigits:
      return 0.8;
    case FeatureKind::kCategory:
      return 0.25;
    case FeatureKind::kName:
    case FeatureKind::kText:
    case FeatureKind::kNumber:
      return 1;
  }
  return 1;
}

absl::Status Invalid(std::string message) { return absl::InvalidArgumentError("encoding plan: " + message); }

std::string InRange(std::string_view what, std::int64_t low, std::int64_t high) {
  return std::string(what) + " must be " + std::to_string(low) + " to " + std::to_string(high);
}

absl::Status ValidateHardening(const EncodingPlan& plan) {
  const Hardening& hardening = plan.hardening;
  if (hardening.folds < 0 || hardening.folds > kMaxFolds) return Invalid(InRange("folds", 0, kMaxFolds));
  if (plan.RawBits() > kMaxRawBits) {
    return Invalid("bits before folding exceed " + std::to_string(kMaxRawBits) + ": fold less often");
  }
  if (!(hardening.flip >= 0 && hardening.flip <= 0.5)) return Invalid("flip must be a probability of at most 0.5");
  if (hardening.diffusion != 0 && (hardening.diffusion < kMinDiffusion || hardening.diffusion > kMaxDiffusion)) {
    return Invalid("diffusion must be 0 or " + std::to_string(kMinDiffusion) + " to " + std::to_string(kMaxDiffusion));
  }
  if (plan.FirstSectionBits() > kMaxBits) {
    return Invalid("balanced encodings have twice `bits`, at most " + std::to_string(kMaxBits));
  }
  if (plan.hashing == Hashing::kTabulationMinHash && (hardening.folds != 0 || hardening.diffusion != 0)) {
    return Invalid("min-hash takes neither folds nor diffusion: half of its bits are set, their XOR is noise");
  }
  if (!hardening.salt_feature.empty() &&
      std::ranges::none_of(plan.features, [&](const Feature& f) { return f.name == hardening.salt_feature; })) {
    return Invalid("the salt feature is not among the features");
  }
  return absl::OkStatus();
}

bool CanHaveStableSection(const EncodingPlan& plan) {
  return plan.profile == EncodingProfile::kRecordLevel && plan.hashing == Hashing::kRandom &&
         plan.hardening.diffusion == 0 && !plan.hardening.balanced;
}

absl::Status ValidateStableSection(const EncodingPlan& plan) {
  if (plan.stable_bits == 0) return absl::OkStatus();
  if (plan.stable_bits % 64 != 0 || plan.EncodedBits() > kMaxBits) {
    return Invalid("stable_bits must be a multiple of 64, with `bits` at most " + std::to_string(kMaxBits));
  }
  if (!CanHaveStableSection(plan)) {
    return Invalid(
        "a stable section goes with record-level encodings by random hashing, without diffusion or balancing");
  }
  const auto stable = static_cast<std::size_t>(std::ranges::count(plan.features, true, &Feature::stable));
  if (stable < kMinStableFeatures && !plan.allow_few_features) {
    return Invalid("a stable section needs at least " + std::to_string(kMinStableFeatures) + " stable features, has " +
                   std::to_string(stable));
  }
  if (stable == 0 || plan.stable_insertions < stable || plan.stable_insertions > plan.StableRawBits() / 2) {
    return Invalid(InRange("stable_insertions", static_cast<std::int64_t>(stable), plan.StableRawBits() / 2) +
                   " (one bit a stable feature, half of the bits before folding)");
  }
  return absl::OkStatus();
}

// Shares `insertions` out among features of these weights, in thousandths: one bit each first, so that none is lost;
// the rest by weight, by largest remainder. A weight of 0 gets nothing.
std::vector<std::uint32_t> ShareOut(std::span<const std::uint64_t> weights, std::uint32_t insertions) {
  const std::uint64_t total = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  const auto sharers = static_cast<std::uint64_t>(std::ranges::count_if(weights, [](auto w) { return w != 0; }));
  const std::uint64_t rest = insertions - sharers;
  std::vector<std::uint32_t> shares(weights.size());
  std::vector<std::uint64_t> remainders(weights.size());
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    const std::uint64_t product = rest * weights[i];
    shares[i] = 1 + static_cast<std::uint32_t>(product / total);
    remainders[i] = product % total;
    given += product / total;
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  for (std::size_t i = 0; given < rest; ++i, ++given) {
    ++shares[order[i]];
  }
  return shares;
}

}  // namespace

absl::Status EncodingPlan::Validate() const {
  if (label.empty() || label.size() > kMaxLabel ||
      !std::ranges::all_of(label, [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return Invalid("label must be 1 to " + std::to_string(kMaxLabel) + " printable ASCII characters");
  }
  if (bits < kMinBits || bits > kMaxBits || bits % 64 != 0) {
    return Invalid("bits must be a multiple of 64 from " + std::to_string(kMinBits) + " to " +
                   std::to_string(kMaxBits));
  }
  if (features.empty() || features.size() > kMaxFeatures) {
    return Invalid(InRange("the number of features", 1, kMaxFeatures));
  }
  if (profile == EncodingProfile::kRecordLevel && features.size() < kMinRecordLevelFeatures && !allow_few_features) {
    return Invalid("a record-level plan needs at least " + std::to_string(kMinRecordLevelFeatures) + " features, has " +
                   std::to_string(features.size()) +
                   ": encodings of fewer fields repeat, and a frequency attack reads those that do");
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (features[i].name.empty() || features[i].name.size() > kMaxFeatureName) {
      return Invalid("feature " + std::to_string(i) + ": " + InRange("name length", 1, kMaxFeatureName));
    }
    if (!names.insert(features[i].name).second) {
      return Invalid("feature " + features[i].name + " is named twice");
    }
    if (!IsThousandths(features[i].weight)) {
      return Invalid("feature " + features[i].name + ": weight must be a multiple of 0.001 from 0.001 to 1000");
    }
  }
  if (absl::Status status = ValidateHardening(*this); !status.ok()) return status;
  if (insertions < features.size() || insertions > RawBits() / 2) {
    return Invalid(InRange("insertions", static_cast<std::int64_t>(features.size()), RawBits() / 2) +
                   " (one bit a feature, half of the bits before folding)");
  }
  return ValidateStableSection(*this);
}

std::string EncodingPlan::Canonical() const {
  std::string text = "sluis-encoding-plan-v1\n";
  const auto line = [&text](std::string_view key, const std::string& value) {
    text.append(key).append(" ").append(value).append("\n");
  };
  // Strings after their length: they may hold any byte.
  const auto counted = [](const std::string& value) { return std::to_string(value.size()) + ":" + value; };
  line("label", counted(label));
  line("profile", profile == EncodingProfile::kRecordLevel ? "record-level" : "field-level");
  line("hashing", hashing == Hashing::kRandom ? "random" : "tabulation-min-hash");
  line("bits", std::to_string(bits));
  line("insertions", std::to_string(insertions));
  line("features", std::to_string(features.size()));
  for (const Feature& feature : features) {
    line("feature", counted(feature.name) + " " + NameOf(feature.kind) + " " +
                        std::to_string(Thousandths(feature.weight)) +
                        (feature.stable && stable_bits > 0 ? " stable" : ""));
  }
  line("folds", std::to_string(hardening.folds));
  line("flip", std::to_string(FlipThreshold(hardening.flip)));
  line("salt-feature", counted(hardening.salt_feature));
  line("diffusion", std::to_string(hardening.diffusion));
  line("balanced", hardening.balanced ? "yes" : "no");
  line("allow-few-features", allow_few_features ? "yes" : "no");
  if (stable_bits > 0) {
    line("stable-bits", std::to_string(stable_bits));
    line("stable-insertions", std::to_string(stable_insertions));
  }
  return text;
}

common::Hash256 EncodingPlan::Digest() const { return common::Sha256(Canonical()); }

std::vector<std::uint32_t> EncodingPlan::FeatureBits() const {
  if (profile == EncodingProfile::kFieldLevel) {
    return std::vector<std::uint32_t>(features.size(), insertions);
  }
  std::vector<std::uint64_t> weights;
  for (const Feature& feature : features) {
    weights.push_back(Thousandths(feature.weight));
  }
  return ShareOut(weights, insertions);
}

std::vector<std::uint32_t> EncodingPlan::StableFeatureBits() const {
  if (stable_bits == 0) {
    return std::vector<std::uint32_t>(features.size(), 0);
  }
  std::vector<std::uint64_t> weights;
  for (const Feature& feature : features) {
    weights.push_back(feature.stable ? Thousandths(feature.weight) : 0);
  }
  return ShareOut(weights, stable_insertions);
}

std::uint32_t FlipThreshold(double flip) {
  // 0.5 is 2^31; the product is exact, since 2^32 only shifts the exponent.
  return static_cast<std::uint32_t>(std::llround(flip * 4294967296.0));
}

std::uint32_t DefaultStableBits(const EncodingPlan& plan) {
  if (!CanHaveStableSection(plan) || plan.FirstSectionBits() + kStableBits > kMaxBits) return 0;
  const auto stable = static_cast<std::size_t>(std::ranges::count(plan.features, true, &Feature::stable));
  return stable >= kMinStableFeatures && plan.features.size() - stable >= kLeastAddressFields ? kStableBits : 0;
}

EncodingPlan DefaultPlan(std::span<const FieldDescription> fields) {
  EncodingPlan plan;
  plan.label = "default";
  for (const FieldDescription& field : fields) {
    plan.features.push_back({field.name, field.kind, DefaultWeight(field.kind), !IsAddressName(field.name)});
  }
  plan.stable_bits = DefaultStableBits(plan);
  return plan;
}

void UseFieldLevel(EncodingPlan& plan) {
  plan.profile = EncodingProfile::kFieldLevel;
  plan.bits = kFieldBits;
  plan.insertions = kFieldInsertions;
  plan.hardening = {.folds = 0, .flip = 0};
  plan.stable_bits = 0;
}

}  // namespace sluis::linker
