#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/prepare/pseudonym_cache.h"
#include "common/bytes/secret.h"
#include "common/permit/permit.h"
#include "linker/encode/encoding_plan.h"
#include "linker/encode/record_encoder.h"
#include "linker/encode/token_seeds.h"

// From the features of an extract's rows to similarity encodings, under seeds that the key holder evaluated.

namespace sluis::cli {

// Returns how the features of `reg`'s rows become tokens and encodings; nullopt if the register has none. Errors: as
// linker::PlanOf.
struct EncodingPlanOfRegister {
  linker::EncodingPlan plan;
  std::vector<linker::DateOrder> date_orders;  // of the plan's features
};
[[nodiscard]] absl::StatusOr<std::optional<EncodingPlanOfRegister>> FindEncodingPlan(const common::Permit& permit,
                                                                                     const common::PermitRegister& reg);

// Returns the secret from which the noise of the encodings follows: the same in all deliveries of the project, so that
// the noise of a record cannot be averaged away; another one in each project.
[[nodiscard]] common::SecretBytes NoiseKey(const common::SecretBytes& local_key, std::string_view project);

// Appends the values of a row's features to `record`, each after its length (2 bytes, big-endian). Errors:
// INVALID_ARGUMENT naming the feature if one has more than linker::kMaxTokenisedBytes bytes.
[[nodiscard]] absl::Status AppendFeatures(const linker::EncodingPlan& plan, std::span<const std::string_view> values,
                                          std::string& record);

// Encodes the rows of one delivery. Not thread-safe; move-only.
class RowEncoder {
 public:
  // `inputs`: of all tokens of the rows (linker::CollectTokens), whose evaluations are in `cache`.
  // `noise_key`: as NoiseKey gives it; must outlive the encoder. Errors: DATA_LOSS if the cache lacks an evaluation or
  // was changed; as RecordEncoder::Make. About 200 bytes of memory for each token.
  [[nodiscard]] static absl::StatusOr<RowEncoder> Make(EncodingPlanOfRegister encoding,
                                                       std::span<const std::string> inputs, const PseudonymCache& cache,
                                                       const common::SecretBytes& noise_key);

  const linker::EncodingPlan& plan() const { return plan_; }
  // Length of a record's encodings.
  std::size_t encoding_bytes() const;

  // Takes the values that AppendFeatures wrote off the front of `record` and appends their encodings to `out`. Errors:
  // INTERNAL if there are none; as RecordEncoder::Encode.
  [[nodiscard]] absl::Status Encode(std::string_view& record, std::string& out);

 private:
  RowEncoder() = default;
  linker::EncodingPlan plan_;
  std::unique_ptr<linker::TokenSeeds> seeds_;
  std::optional<linker::RecordEncoder> encoder_;
  std::vector<std::string_view> values_;
  linker::Encoding encoding_;
};

}  // namespace sluis::cli
