#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "linker/encode/encoding_plan.h"
#include "linker/encode/tokens.h"

namespace sluis::linker {

// Names the version of the tokenisation rules and of the encodings below.
inline constexpr std::string_view kTokenLabel = "sluis-token-v1";

// Returns the byte string that stands for a token and goes into the OPRF: kTokenLabel || feature || salt || token, each
// after its length (4 bytes, big-endian). Injective. Identifies a piece of a person's data: treat as such.
[[nodiscard]] std::string TokenInput(std::string_view feature, std::string_view salt, std::string_view token);

// Returns the input of the seed from which diffusion and permutation derive, which all custodians of a project share.
// It is framed as TokenInput with the label "sluis-layout-v1", hence differs from every token's.
[[nodiscard]] std::string LayoutInput();

// Maps a token to the 32 secret bytes from which its positions follow. Whoever knows the seeds of a project reads the
// encodings made with them (a dictionary attack, token by token). Thread-safe. Move-only; wiped at the end.
class TokenSeeds {
 public:
  // The offline profile, the weaker one: seeds are HMAC-SHA-256(key, input). Every holder of the key can compute the
  // seed of every token, at once and unseen, and one leak concerns the whole project. `key`: at least 16 bytes, secret,
  // of one project only; two keys give encodings that cannot be related. Errors: INVALID_ARGUMENT if it is shorter.
  [[nodiscard]] static absl::StatusOr<TokenSeeds> FromKey(const common::SecretBytes& key);

  // Seeds from the key holder's blind evaluations: nobody but the key holder can compute the seed of a token that was
  // not asked for, and asking is counted. `inputs`: as CollectTokens gives them; `elements`: their evaluations N = k *
  // H(input), unblinded and verified (keys/oprf), 32 bytes each, in the same order. A seed is
  // SHA-256("sluis-token-seed- v1" || length of input || input || N). Errors: INVALID_ARGUMENT if the lengths do not
  // fit, or an input occurs twice.
  [[nodiscard]] static absl::StatusOr<TokenSeeds> FromEvaluations(std::span<const std::string> inputs,
                                                                  std::string_view elements);

  TokenSeeds(TokenSeeds&&) noexcept;
  TokenSeeds& operator=(TokenSeeds&&) noexcept;
  ~TokenSeeds();

  // Returns the seed of `input` (TokenInput or LayoutInput). The caller wipes it. Errors: FAILED_PRECONDITION if
  // it was not evaluated.
  [[nodiscard]] absl::StatusOr<common::Hash256> Seed(std::string_view input) const;

 private:
  TokenSeeds() = default;
  std::unique_ptr<common::HmacSha256> hmac_;                // FromKey
  std::unordered_map<std::string, common::Hash256> seeds_;  // FromEvaluations
};

// Collects the distinct OPRF inputs of an extract: what must be evaluated before it can be encoded.
class CollectTokens {
 public:
  // `orders`: one per feature, or empty if all dates are year first. `max_tokens` bounds memory: about 150 bytes each.
  // Errors: INVALID_ARGUMENT if the plan is not valid or the number of orders is not that of its features.
  [[nodiscard]] static absl::StatusOr<CollectTokens> Make(EncodingPlan plan, std::vector<DateOrder> orders = {},
                                                          std::size_t max_tokens = 10'000'000);

  // Adds the tokens of one record, its values in the order of the plan's features, empty for missing. Errors:
  // INVALID_ARGUMENT if the number of values differs, or, naming the feature, as Tokenise; RESOURCE_EXHAUSTED if
  // there are more distinct tokens than max_tokens.
  [[nodiscard]] absl::Status Add(std::span<const std::string_view> values);

  // The layout's input and those of all tokens added, each once, in ascending order of bytes, so that their order
  // tells nothing about the records'.
  [[nodiscard]] std::vector<std::string> Inputs() const;

 private:
  CollectTokens() = default;
  EncodingPlan plan_;
  std::vector<DateOrder> orders_;
  std::size_t salt_index_ = 0;
  std::size_t max_tokens_ = 0;
  std::set<std::string> inputs_;
  TokenList tokens_;
};

}  // namespace sluis::linker
