#include "cli/prepare/encode_rows.h"

#include <algorithm>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/encode/encoding_bytes.h"
#include "linker/encode/permit_plan.h"
#include "linker/encode/tokens.h"

namespace sluis::cli {
namespace {

constexpr std::size_t kLengthBytes = 2;
static_assert(linker::kMaxTokenisedBytes <= 0xFFFF);

linker::DateOrder OrderOf(common::SimilarityDateOrder order) {
  switch (order) {
    case common::SimilarityDateOrder::kYearFirst:
      return linker::DateOrder::kYearFirst;
    case common::SimilarityDateOrder::kDayFirst:
      return linker::DateOrder::kDayFirst;
    case common::SimilarityDateOrder::kMonthFirst:
      return linker::DateOrder::kMonthFirst;
  }
  return linker::DateOrder::kYearFirst;
}

}  // namespace

absl::StatusOr<std::optional<EncodingPlanOfRegister>> FindEncodingPlan(const common::Permit& permit,
                                                                       const common::PermitRegister& reg) {
  if (reg.features.empty()) return std::optional<EncodingPlanOfRegister>();
  EncodingPlanOfRegister out;
  SLUIS_ASSIGN_OR_RETURN(out.plan, linker::PlanOf(permit));
  for (const linker::Feature& feature : out.plan.features) {
    const auto source = std::ranges::find(reg.features, feature.name, &common::FeatureSource::feature);
    out.date_orders.push_back(source == reg.features.end() ? linker::DateOrder::kYearFirst
                                                           : OrderOf(source->date_order));
  }
  return std::optional<EncodingPlanOfRegister>(std::move(out));
}

common::SecretBytes NoiseKey(const common::SecretBytes& local_key, std::string_view project) {
  return common::DeriveKey(local_key, "sluis-encoding-noise-v1 " + std::string(project));
}

absl::Status AppendFeatures(const linker::EncodingPlan& plan, std::span<const std::string_view> values,
                            std::string& record) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].size() > linker::kMaxTokenisedBytes) {
      return absl::InvalidArgumentError("feature " + plan.features[i].name + ": a value has more than " +
                                        std::to_string(linker::kMaxTokenisedBytes) + " bytes");
    }
    record.push_back(static_cast<char>(values[i].size() >> 8));
    record.push_back(static_cast<char>(values[i].size() & 0xff));
    record += values[i];
  }
  return absl::OkStatus();
}

absl::StatusOr<RowEncoder> RowEncoder::Make(EncodingPlanOfRegister encoding, std::span<const std::string> inputs,
                                            const PseudonymCache& cache, const common::SecretBytes& noise_key) {
  std::string elements;
  const auto find_all = [&]() -> absl::Status {
    for (const std::string& input : inputs) {
      SLUIS_ASSIGN_OR_RETURN(std::optional<std::string> element,
                             cache.Find(cache.LookupOf(common::kPurposeTokens, input)));
      if (!element.has_value()) {
        return absl::DataLossError("the cache lost an evaluated token that it had; prepare the delivery again");
      }
      elements += *element;
      common::Wipe(*element);
    }
    return absl::OkStatus();
  };
  elements.reserve(inputs.size() * 32);
  absl::Status status = find_all();
  RowEncoder out;
  if (status.ok()) {
    absl::StatusOr<linker::TokenSeeds> seeds = linker::TokenSeeds::FromEvaluations(inputs, elements);
    status = seeds.status();
    if (seeds.ok()) out.seeds_ = std::make_unique<linker::TokenSeeds>(*std::move(seeds));
  }
  common::Wipe(elements);
  SLUIS_RETURN_IF_ERROR(status);
  linker::EncoderOptions options;
  options.noise_key = &noise_key;
  options.date_orders = std::move(encoding.date_orders);
  SLUIS_ASSIGN_OR_RETURN(out.encoder_, linker::RecordEncoder::Make(encoding.plan, *out.seeds_, options));
  out.values_.resize(encoding.plan.features.size());
  out.plan_ = std::move(encoding.plan);
  return out;
}

std::size_t RowEncoder::encoding_bytes() const { return linker::EncodingBytes(plan_); }

absl::Status RowEncoder::Encode(std::string_view& record, std::string& out) {
  for (std::string_view& value : values_) {
    const std::size_t size = record.size() < kLengthBytes
                                 ? SIZE_MAX
                                 : static_cast<std::size_t>(static_cast<unsigned char>(record[0]) << 8 |
                                                            static_cast<unsigned char>(record[1]));
    if (size == SIZE_MAX || record.size() - kLengthBytes < size) {
      return absl::InternalError("a row lacks the values of its features");
    }
    value = record.substr(kLengthBytes, size);
    record.remove_prefix(kLengthBytes + size);
  }
  SLUIS_RETURN_IF_ERROR(encoder_->Encode(values_, encoding_));
  linker::AppendEncodingBytes(plan_, encoding_, out);
  return absl::OkStatus();
}

}  // namespace sluis::cli
