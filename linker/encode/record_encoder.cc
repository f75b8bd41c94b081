#include "linker/encode/record_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/encode/hardening.h"
#include "linker/encode/keyed_generator.h"
#include "linker/encode/min_hash.h"
#include "linker/encode/token_cache.h"
#include "linker/encode/token_ranks.h"
#include "linker/encode/tokens.h"
#include "linker/encode/wipe.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kMinNoiseKeyBytes = 16;

void SetBit(std::span<std::uint64_t> words, std::size_t bit) { words[bit / 64] |= std::uint64_t{1} << (bit % 64); }

}  // namespace

class RecordEncoder::Impl {
 public:
  Impl(const EncodingPlan& plan, const TokenSeeds& seeds, const EncoderOptions& options)
      : plan_(plan),
        seeds_(seeds),
        digest_(plan.Digest()),
        digest_label_(common::AsChars(digest_)),
        shares_(plan.FeatureBits()),
        stable_shares_(plan.StableFeatureBits()),
        orders_(options.date_orders),
        max_cached_(options.max_cached_tokens),
        threshold_(FlipThreshold(plan.hardening.flip)),
        tokens_(plan.features.size()) {
    if (orders_.empty()) orders_.assign(plan.features.size(), DateOrder::kYearFirst);
    salt_ = static_cast<std::size_t>(std::ranges::find(plan.features, plan.hardening.salt_feature, &Feature::name) -
                                     plan.features.begin());
    if (threshold_ != 0) noise_.emplace(*options.noise_key);
  }

  // Positions, and bits before noise, are as good as the seeds from which they follow.
  ~Impl() {
    WipeElements(taps_);
    WipeElements(permutation_);
    WipeElements(raws_);
    WipeElements(diffused_);
    WipeElements(minima_);
    WipeElements(best_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  absl::Status PrepareLayout() {
    const Hardening& hardening = plan_.hardening;
    if (hardening.diffusion == 0 && !hardening.balanced && plan_.hashing == Hashing::kRandom) return absl::OkStatus();
    absl::StatusOr<common::Hash256> shared = seeds_.Seed(LayoutInput());
    if (!shared.ok()) return shared.status();
    const SeedWiper shared_wiper(*shared);
    common::Hash256 layout = DeriveSeed(*shared, digest_label_);
    const SeedWiper layout_wiper(layout);
    if (hardening.diffusion != 0) taps_ = DiffusionPositions(layout, plan_.bits, hardening.diffusion);
    if (hardening.balanced) permutation_ = KeyedPermutation(layout, plan_.EncodedBits());
    if (plan_.hashing == Hashing::kTabulationMinHash) {
      common::Hash256 tables = DeriveSeed(layout, "tabulation");
      const SeedWiper tables_wiper(tables);
      tabulation_.emplace(tables, plan_.bits);
      minima_.resize(plan_.bits);
    }
    return absl::OkStatus();
  }

  absl::Status Encode(std::span<const std::string_view> values, Encoding& out) {
    const std::vector<Feature>& features = plan_.features;
    if (values.size() != features.size()) {
      return absl::InvalidArgumentError(std::to_string(values.size()) + " values for " +
                                        std::to_string(features.size()) + " features");
    }
    out.present = 0;
    out.words_per_row = plan_.EncodedBits() / 64;
    out.words.assign(out.words_per_row * plan_.Encodings(), 0);
    SLUIS_ASSIGN_OR_RETURN(const bool encodable, ReadSalt(values));
    if (!encodable) return absl::OkStatus();
    const bool record_level = plan_.profile == EncodingProfile::kRecordLevel;
    raws_.assign(plan_.RawBits() / 64 * plan_.Encodings() + plan_.StableRawBits() / 64, 0);
    raw_ = RawRow(0);
    BeginRace();
    for (std::size_t feature = 0; feature < features.size(); ++feature) {
      if (!record_level) {
        raw_ = RawRow(feature);
        BeginRace();
      }
      const absl::Status status = AddFeature(feature, values[feature]);
      if (!status.ok()) return common::Annotate(status, "feature " + features[feature].name);
      if (!used_.empty()) out.present |= std::uint64_t{1} << feature;
    }
    if (out.present != 0) Finish(out);
    return absl::OkStatus();
  }

 private:
  // Returns whether the record can be encoded: it has the salt, if the plan asks for one.
  absl::StatusOr<bool> ReadSalt(std::span<const std::string_view> values) {
    salt_value_.clear();
    if (salt_ == plan_.features.size()) return true;
    absl::StatusOr<std::string> value = SaltOf(plan_.features[salt_].kind, values[salt_], orders_[salt_]);
    if (!value.ok()) return common::Annotate(value.status(), "feature " + plan_.features[salt_].name);
    salt_value_ = *std::move(value);
    return !salt_value_.empty();
  }

  absl::Status AddFeature(std::size_t feature, std::string_view value) {
    used_.clear();
    SLUIS_RETURN_IF_ERROR(TokeniseInto(plan_.features[feature].kind, value, orders_[feature], list_));
    if (list_.empty()) return absl::OkStatus();
    // All at once and before the first is found: `used_` points into the maps.
    if (cached_ + list_.size() > max_cached_) {
      for (TokenCache& cache : tokens_) cache.Clear();
      cached_ = 0;
    }
    if (salt_value_.empty()) {
      for (std::size_t i = 0; i < list_.size(); ++i) tokens_[feature].Prefetch(list_[i]);
    }
    for (std::size_t i = 0; i < list_.size(); ++i) {
      SLUIS_ASSIGN_OR_RETURN(CachedToken * token, Find(feature, list_[i]));
      used_.push_back(token);
    }
    if (tabulation_.has_value()) {
      Race(feature);
    } else {
      SetPositions(feature);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<CachedToken*> Find(std::size_t feature, std::string_view token) {
    TokenCache& cache = tokens_[feature];
    std::string_view key = token;
    if (!salt_value_.empty()) {
      // Injective: neither folded salts nor tokens hold the separator that stands between them.
      salted_.assign(salt_value_).append(1, '\0').append(token);
      key = salted_;
    }
    if (CachedToken* found = cache.Find(key); found != nullptr) return found;
    absl::StatusOr<common::Hash256> seed = seeds_.Seed(TokenInput(plan_.features[feature].name, salt_value_, token));
    if (!seed.ok()) return seed.status();
    const SeedWiper seed_wiper(*seed);
    ++cached_;
    // Bound to the plan, so that encodings by two plans of one project have nothing in common.
    common::Hash256 bound = DeriveSeed(*seed, digest_label_);
    const SeedWiper bound_wiper(bound);
    return cache.Insert(key, bound, plan_.RawBits(), stable_shares_[feature] != 0 ? plan_.StableRawBits() : 0);
  }

  // Tokens set equally many bits of a section; those of the least ranks one more if the share does not divide.
  void SetPositions(std::size_t feature) {
    const std::uint32_t tokens = static_cast<std::uint32_t>(used_.size());
    const std::uint32_t share = shares_[feature], stable_share = stable_shares_[feature];
    const std::uint32_t each = share / tokens, extra = share % tokens;
    const std::uint32_t stable_each = stable_share / tokens, stable_extra = stable_share % tokens;
    const std::span<const std::uint32_t> places = ranks_.PlacesOf(used_);
    const std::span<std::uint64_t> section = StableRaw();
    for (std::uint32_t i = 0; i < tokens; ++i) {
      CachedToken& token = *used_[i];
      const std::uint32_t count = each + (places[i] < extra ? 1 : 0);
      for (const std::uint16_t position : token.Positions(count, plan_.RawBits())) SetBit(raw_, position);
      if (stable_share == 0) continue;
      const std::uint32_t stable_count = stable_each + (places[i] < stable_extra ? 1 : 0);
      for (const std::uint16_t position : token.StablePositions(stable_count, plan_.StableRawBits())) {
        SetBit(section, position);
      }
    }
  }

  void BeginRace() {
    if (tabulation_.has_value()) best_.assign(plan_.bits, std::numeric_limits<double>::infinity());
  }

  // Lets the feature's tokens run for every bit: an exponential variate of rate w is one of rate 1, divided by w.
  // Within the feature all rates are equal, so the least number wins and only that one needs its logarithm.
  void Race(std::size_t feature) {
    std::ranges::fill(minima_, std::numeric_limits<std::uint32_t>::max());
    for (const CachedToken* token : used_) tabulation_->LowerMinima(token->seed, minima_);
    // Quotient and product of whole numbers, each rounded once: the same on all machines.
    const double slowness = static_cast<double>(used_.size()) / std::round(plan_.features[feature].weight * 1000);
    for (std::size_t bit = 0; bit < minima_.size(); ++bit) {
      const double time = static_cast<double>(Exponential(minima_[bit] >> 1)) * slowness;
      if (time < best_[bit]) {
        best_[bit] = time;
        const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
        raw_[bit / 64] = (minima_[bit] & 1) != 0 ? raw_[bit / 64] | mask : raw_[bit / 64] & ~mask;
      }
    }
  }

  std::span<std::uint64_t> RawRow(std::size_t row) {
    const std::size_t words = plan_.RawBits() / 64;
    return std::span(raws_).subspan(row * words, words);
  }

  std::span<std::uint64_t> StableRaw() { return std::span(raws_).last(plan_.StableRawBits() / 64); }

  // Hardens the rows that are present. Noise comes last but for balancing, so that both halves of a balanced encoding
  // carry the same and their difference does not betray it.
  void Finish(Encoding& out) {
    const Hardening& hardening = plan_.hardening;
    // Of the record, before rows are folded in place: equal fields of different people get different noise.
    std::optional<NoiseStream> noise;
    if (noise_.has_value()) {
      common::Hash256 seed = NoiseSeed(*noise_, digest_, raws_);
      const SeedWiper wiper(seed);
      noise.emplace(seed);
    }
    for (std::size_t row = 0; row < plan_.Encodings(); ++row) {
      if (plan_.profile == EncodingProfile::kFieldLevel && !out.HasFeature(row)) continue;
      std::span<std::uint64_t> bits = XorFold(RawRow(row), hardening.folds);
      if (hardening.diffusion != 0) {
        diffused_.resize(bits.size());
        Diffuse(bits, taps_, hardening.diffusion, diffused_);
        bits = diffused_;
      }
      if (noise.has_value()) FlipBits(bits, threshold_, *noise);
      const std::span<std::uint64_t> target = std::span(out.words).subspan(row * out.words_per_row, out.words_per_row);
      if (hardening.balanced) {
        Balance(bits, permutation_, target);
      } else {
        std::ranges::copy(bits, target.begin());
      }
    }
    if (plan_.stable_bits != 0) {
      const std::span<std::uint64_t> bits = XorFold(StableRaw(), hardening.folds);
      if (noise.has_value()) FlipBits(bits, threshold_, *noise);
      std::ranges::copy(bits, std::span(out.words).last(bits.size()).begin());
    }
  }

  const EncodingPlan plan_;
  const TokenSeeds& seeds_;
  const common::Hash256 digest_;
  const std::string digest_label_;
  const std::vector<std::uint32_t> shares_;         // by feature: bits that it sets in the first section
  const std::vector<std::uint32_t> stable_shares_;  // and in the stable one
  std::vector<DateOrder> orders_;
  std::size_t max_cached_;
  std::uint32_t threshold_;
  std::size_t salt_ = 0;  // index of the salt feature; that of none: features.size()
  std::optional<common::HmacSha256> noise_;

  std::vector<std::uint16_t> taps_, permutation_;
  std::optional<TabulationHash> tabulation_;

  std::vector<TokenCache> tokens_;  // by feature
  std::size_t cached_ = 0;

  // Of the record at hand.
  std::string salt_value_, salted_;
  TokenList list_;
  std::vector<CachedToken*> used_;
  TokenRanks ranks_;
  std::vector<std::uint64_t> raws_, diffused_;  // raws_: row after row, before folding
  std::span<std::uint64_t> raw_;                // the row at hand
  std::vector<std::uint32_t> minima_;
  std::vector<double> best_;
};

RecordEncoder::RecordEncoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordEncoder::RecordEncoder(RecordEncoder&&) noexcept = default;
RecordEncoder& RecordEncoder::operator=(RecordEncoder&&) noexcept = default;
RecordEncoder::~RecordEncoder() = default;

absl::StatusOr<RecordEncoder> RecordEncoder::Make(const EncodingPlan& plan, const TokenSeeds& seeds,
                                                  const EncoderOptions& options) {
  SLUIS_RETURN_IF_ERROR(plan.Validate());
  if (!options.date_orders.empty() && options.date_orders.size() != plan.features.size()) {
    return absl::InvalidArgumentError(std::to_string(options.date_orders.size()) + " date orders for " +
                                      std::to_string(plan.features.size()) + " features");
  }
  if (FlipThreshold(plan.hardening.flip) != 0 &&
      (options.noise_key == nullptr || options.noise_key->size() < kMinNoiseKeyBytes)) {
    return absl::InvalidArgumentError("the plan flips bits: give the custodian's noise key, at least " +
                                      std::to_string(kMinNoiseKeyBytes) + " bytes");
  }
  auto impl = std::make_unique<Impl>(plan, seeds, options);
  SLUIS_RETURN_IF_ERROR(impl->PrepareLayout());
  return RecordEncoder(std::move(impl));
}

absl::Status RecordEncoder::Encode(std::span<const std::string_view> values, Encoding& out) {
  return impl_->Encode(values, out);
}

}  // namespace sluis::linker
