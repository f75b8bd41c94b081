#include "cli/prepare/prepare.h"

#include <unistd.h>

#include <map>
#include <utility>

#include "cli/prepare/distinct_counter.h"
#include "cli/prepare/encode_rows.h"
#include "common/seal/sealed_row.h"
#include "common/status/status.h"
#include "linker/encode/encoding_bytes.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kElementBytes = 32;

SpoolHeader HeaderOf(const DeliveryJob& job) {
  SpoolHeader header;
  header.permit_id = job.permit->id;
  header.permit_sha256 = job.permit->sha256;
  header.register_name = job.register_name;
  header.delivery_id = job.delivery_id;
  header.replaces = job.replaces;
  header.schema_sha256 = job.schema_sha256;
  return header;
}

bool IsSameDelivery(const DeliveryState& state, const DeliveryJob& job) {
  return state.input_sha256 == job.input_sha256 && state.header.permit_sha256 == job.permit->sha256 &&
         state.header.schema_sha256 == job.schema_sha256;
}

// Nothing that is prepared depends on what the delivery replaces, so that can still be put right until the linker has
// the delivery.
absl::Status CorrectReplaces(const DeliveryJob& job, DeliveryStates& states, DeliveryState& state) {
  if (state.header.replaces == job.replaces) {
    return absl::OkStatus();
  }
  if (state.stage == DeliveryStage::kCommitted) {
    return absl::FailedPreconditionError(
        "delivery " + job.delivery_id + " was delivered already, " +
        (state.header.replaces.empty() ? "as one that replaces none" : "in place of " + state.header.replaces) +
        ": run again without changing that, or withdraw it");
  }
  state.header.replaces = job.replaces;
  return states.Save(state);
}

}  // namespace

absl::StatusOr<DeliveryState> PrepareDelivery(const DeliveryJob& job, RowSource& source, Evaluator& evaluator,
                                              const Workshop& workshop, const PseudonymiseOptions& pseudonymise_options,
                                              const SealOptions& seal_options) {
  SLUIS_RETURN_IF_ERROR(FindPermittedRegister(*job.permit, job.register_name).status());
  const std::string spool = workshop.states.SpoolPath(job.register_name, job.delivery_id);
  SLUIS_ASSIGN_OR_RETURN(std::optional<DeliveryState> earlier,
                         workshop.states.Load(job.register_name, job.delivery_id));
  if (earlier.has_value() && !IsSameDelivery(*earlier, job)) {
    return absl::FailedPreconditionError(
        "delivery id " + job.delivery_id + " was used for another file, schema or permit: choose a new one" +
        (earlier->stage == DeliveryStage::kCommitted ? "" : ", or give the earlier one up with `sluis abort`"));
  }
  if (earlier.has_value()) {
    SLUIS_RETURN_IF_ERROR(CorrectReplaces(job, workshop.states, *earlier));
  }
  if (earlier.has_value() && earlier->stage != DeliveryStage::kStarted) {
    if (earlier->stage == DeliveryStage::kPrepared && access(spool.c_str(), R_OK) != 0) {
      return absl::FailedPreconditionError("the spool of delivery " + job.delivery_id + " is gone from " + spool +
                                           ": submit under a new delivery id");
    }
    return *earlier;
  }
  DeliveryState state;
  state.input_sha256 = job.input_sha256;
  state.header = HeaderOf(job);
  if (!earlier.has_value()) {
    SLUIS_RETURN_IF_ERROR(workshop.states.Save(state));
  }
  const DeliveryName name{job.permit->id, job.register_name, job.delivery_id};
  SLUIS_ASSIGN_OR_RETURN(PseudonymisedRows rows, Pseudonymise(*job.permit, name, source, evaluator, workshop.cache,
                                                              workshop.spill, pseudonymise_options));
  state.evaluated = rows.evaluated;
  state.tokens_evaluated = rows.tokens_evaluated;
  SLUIS_ASSIGN_OR_RETURN(
      state.header, SealAndShuffle(*job.permit, state.header, rows, workshop.cache, workshop.spill, workshop.random,
                                   spool, workshop.states.spool_key(), seal_options));
  for (std::string& input : rows.token_inputs) common::Wipe(input);
  state.stage = DeliveryStage::kPrepared;
  SLUIS_RETURN_IF_ERROR(workshop.states.Save(state));
  SLUIS_RETURN_IF_ERROR(workshop.cache.ForgetBlinds(name));
  return state;
}

std::string DescribeGranularity(const common::PermitField& field) {
  const std::string codes = std::to_string(field.codes.size());
  switch (field.coarsening) {
    case common::Coarsening::kNone:
      switch (field.type) {
        case common::FieldType::kCode:
          return "one of " + codes + " codes";
        case common::FieldType::kDate:
          return "day";
        case common::FieldType::kInteger:
          return "exact amount" + (field.unit.empty() ? "" : ", " + field.unit);
        case common::FieldType::kToken:
          return "keyed token, new in each delivery";
      }
      break;
    case common::Coarsening::kCodeList:
      return "one of " + codes + " codes, by the code list " + field.code_list;
    case common::Coarsening::kAgeClass:
      return "one of " + std::to_string(field.age_bounds.size()) + " age classes on " +
             common::FormatDay(field.reference_date);
    case common::Coarsening::kPrefix:
      return "first " + std::to_string(field.prefix_length) + " characters, one of " + codes + " codes";
    case common::Coarsening::kTruncateMonth:
      return "month";
    case common::Coarsening::kTruncateYear:
      return "year";
    case common::Coarsening::kRoundDown:
      return "rounded towards zero to multiples of " + std::to_string(field.round_to) +
             (field.unit.empty() ? "" : " " + field.unit);
    case common::Coarsening::kToken:
      return "keyed token, new in each delivery";
  }
  return "unknown";
}

absl::StatusOr<DryRunReport> DryRun(const common::Permit& permit, const std::string& register_name, RowSource& source,
                                    const PseudonymCache& cache, const common::SpillDirectory& spill) {
  SLUIS_ASSIGN_OR_RETURN(const common::PermitRegister* reg, FindPermittedRegister(permit, register_name));
  DryRunReport report;
  std::map<std::string, DistinctCounter> counters;  // by purpose
  std::vector<DistinctCounter*> counter_of_key;
  for (const std::string& key : reg->match_keys) {
    const std::string& purpose = permit.FindMatchKey(key)->purpose;
    if (!counters.contains(purpose)) {
      SLUIS_ASSIGN_OR_RETURN(DistinctCounter counter, DistinctCounter::Create(spill, PseudonymCache::kLookupBytes));
      counters.emplace(purpose, std::move(counter));
    }
    counter_of_key.push_back(&counters.at(purpose));
    report.keys.push_back({key, 0});
  }
  SLUIS_ASSIGN_OR_RETURN(const std::optional<EncodingPlanOfRegister> encoding, FindEncodingPlan(permit, *reg));
  std::optional<linker::CollectTokens> tokens;
  if (encoding.has_value()) {
    SLUIS_ASSIGN_OR_RETURN(tokens, linker::CollectTokens::Make(encoding->plan, encoding->date_orders));
    report.encoding_bytes = linker::EncodingBytes(encoding->plan);
    for (const common::FeatureSource& feature : reg->features) report.features.push_back(feature.feature);
  }
  std::uint64_t rows = 0;
  const auto visit = [&](const std::vector<std::string>& lookups, const SourceRow& row) -> absl::Status {
    ++rows;
    if (tokens.has_value()) {
      if (const absl::Status status = tokens->Add(row.features); !status.ok()) {
        return common::Annotate(status, "row " + std::to_string(rows));
      }
    }
    for (std::size_t i = 0; i < lookups.size(); ++i) {
      if (!lookups[i].empty()) {
        ++report.keys[i].records;
        SLUIS_RETURN_IF_ERROR(counter_of_key[i]->Add(lookups[i]));
      }
    }
    return absl::OkStatus();
  };
  SLUIS_ASSIGN_OR_RETURN(report.records, ForEachRow(permit, *reg, source, cache, nullptr, visit));
  for (auto& [purpose, counter] : counters) {
    DryRunReport::Purpose& entry = report.purposes.emplace_back();
    entry.name = purpose;
    entry.delivery_budget = permit.DeliveryBudget(*reg, purpose);
    SLUIS_ASSIGN_OR_RETURN(entry.distinct, counter.Finish([&](std::string_view lookup) -> absl::Status {
      SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> known, cache.Find(lookup));
      entry.cached += known.has_value() ? 1 : 0;
      return absl::OkStatus();
    }));
    report.bytes_to_key_holder += (entry.distinct - entry.cached) * kElementBytes;
  }
  if (tokens.has_value()) {
    DryRunReport::Purpose& entry = report.purposes.emplace_back();
    entry.name = common::kPurposeTokens;
    entry.delivery_budget = permit.DeliveryBudget(*reg, common::kPurposeTokens);
    for (const std::string& input : tokens->Inputs()) {
      SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> known,
                             cache.Find(cache.LookupOf(common::kPurposeTokens, input)));
      ++entry.distinct;
      entry.cached += known.has_value() ? 1 : 0;
    }
    report.bytes_to_key_holder += (entry.distinct - entry.cached) * kElementBytes;
  }
  for (const common::PermitField& field : reg->fields) {
    report.fields.push_back({field.name, DescribeGranularity(field)});
  }
  report.row_bytes = common::SealedRowBytes(reg->RowWidth());
  report.bytes_to_linker =
      report.records * (reg->match_keys.size() * kElementBytes + report.encoding_bytes + report.row_bytes);
  return report;
}

}  // namespace sluis::cli
