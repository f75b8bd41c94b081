#include "linker/encode/token_seeds.h"

#include <algorithm>
#include <utility>

#include "common/status/status.h"
#include "linker/encode/wipe.h"

namespace sluis::linker {
namespace {

constexpr std::string_view kLayoutLabel = "sluis-layout-v1";
constexpr std::string_view kSeedLabel = "sluis-token-seed-v1";
constexpr std::size_t kElementBytes = 32;
constexpr std::size_t kMinKeyBytes = 16;

std::string Framed(std::string_view label, std::string_view feature, std::string_view salt, std::string_view token) {
  std::string input;
  input.reserve(label.size() + feature.size() + salt.size() + token.size() + 16);
  for (const std::string_view part : {label, feature, salt, token}) {
    common::AppendBigEndian32(input, static_cast<std::uint32_t>(part.size()));
    input += part;
  }
  return input;
}

common::Hash256 SeedOf(std::string_view input, std::string_view element) {
  std::string length;
  common::AppendBigEndian32(length, static_cast<std::uint32_t>(input.size()));
  common::Sha256Hasher hasher;
  hasher.Update(kSeedLabel);
  hasher.Update(length);
  hasher.Update(input);
  hasher.Update(element);
  return hasher.Finish();
}

}  // namespace

std::string TokenInput(std::string_view feature, std::string_view salt, std::string_view token) {
  return Framed(kTokenLabel, feature, salt, token);
}

std::string LayoutInput() { return Framed(kLayoutLabel, "", "", ""); }

absl::StatusOr<TokenSeeds> TokenSeeds::FromKey(const common::SecretBytes& key) {
  if (key.size() < kMinKeyBytes) {
    return absl::InvalidArgumentError("token key must have at least " + std::to_string(kMinKeyBytes) + " bytes");
  }
  TokenSeeds seeds;
  seeds.hmac_ = std::make_unique<common::HmacSha256>(key);
  return seeds;
}

absl::StatusOr<TokenSeeds> TokenSeeds::FromEvaluations(std::span<const std::string> inputs, std::string_view elements) {
  if (elements.size() != inputs.size() * kElementBytes) {
    return absl::InvalidArgumentError("token evaluations: " + std::to_string(elements.size()) + " bytes for " +
                                      std::to_string(inputs.size()) + " inputs of " + std::to_string(kElementBytes) +
                                      " bytes each");
  }
  TokenSeeds seeds;
  seeds.seeds_.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!seeds.seeds_.emplace(inputs[i], SeedOf(inputs[i], elements.substr(i * kElementBytes, kElementBytes))).second) {
      return absl::InvalidArgumentError("token evaluations: input " + std::to_string(i) + " occurs twice");
    }
  }
  return seeds;
}

TokenSeeds::TokenSeeds(TokenSeeds&&) noexcept = default;

TokenSeeds& TokenSeeds::operator=(TokenSeeds&& other) noexcept {
  // The old seeds are wiped with `other`.
  std::swap(hmac_, other.hmac_);
  std::swap(seeds_, other.seeds_);
  return *this;
}

TokenSeeds::~TokenSeeds() {
  for (auto& [input, seed] : seeds_) common::Wipe(seed);
}

absl::StatusOr<common::Hash256> TokenSeeds::Seed(std::string_view input) const {
  if (hmac_ != nullptr) {
    common::Hash256 seed = hmac_->Compute(input);
    const SeedWiper wiper(seed);
    return absl::StatusOr<common::Hash256>(seed);
  }
  const auto found = seeds_.find(std::string(input));
  if (found == seeds_.end()) {
    return absl::FailedPreconditionError(
        "a token has not been evaluated: collect the tokens of this extract and have the key holder evaluate them");
  }
  return found->second;
}

absl::StatusOr<CollectTokens> CollectTokens::Make(EncodingPlan plan, std::vector<DateOrder> orders,
                                                  std::size_t max_tokens) {
  SLUIS_RETURN_IF_ERROR(plan.Validate());
  if (orders.empty()) orders.assign(plan.features.size(), DateOrder::kYearFirst);
  if (orders.size() != plan.features.size()) {
    return absl::InvalidArgumentError(std::to_string(orders.size()) + " date orders for " +
                                      std::to_string(plan.features.size()) + " features");
  }
  CollectTokens collector;
  const auto salt = std::ranges::find(plan.features, plan.hardening.salt_feature, &Feature::name);
  collector.salt_index_ = static_cast<std::size_t>(salt - plan.features.begin());
  collector.plan_ = std::move(plan);
  collector.orders_ = std::move(orders);
  collector.max_tokens_ = max_tokens;
  return collector;
}

absl::Status CollectTokens::Add(std::span<const std::string_view> values) {
  const std::vector<Feature>& features = plan_.features;
  if (values.size() != features.size()) {
    return absl::InvalidArgumentError(std::to_string(values.size()) + " values for " + std::to_string(features.size()) +
                                      " features");
  }
  std::string salt;
  if (salt_index_ < features.size()) {
    absl::StatusOr<std::string> value = SaltOf(features[salt_index_].kind, values[salt_index_], orders_[salt_index_]);
    if (!value.ok()) return common::Annotate(value.status(), "feature " + features[salt_index_].name);
    if (value->empty()) return absl::OkStatus();  // such a record is not encoded
    salt = *std::move(value);
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (absl::Status status = TokeniseInto(features[i].kind, values[i], orders_[i], tokens_); !status.ok()) {
      return common::Annotate(status, "feature " + features[i].name);
    }
    for (std::size_t t = 0; t < tokens_.size(); ++t) {
      inputs_.insert(TokenInput(features[i].name, salt, tokens_[t]));
      if (inputs_.size() > max_tokens_) {
        return absl::ResourceExhaustedError("the extract has more than " + std::to_string(max_tokens_) +
                                            " distinct tokens: raise the limit, or salt by a coarser feature");
      }
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> CollectTokens::Inputs() const {
  std::vector<std::string> inputs(inputs_.begin(), inputs_.end());
  // Its label begins with another length than the tokens.
  inputs.insert(std::ranges::lower_bound(inputs, LayoutInput()), LayoutInput());
  return inputs;
}

}  // namespace sluis::linker
