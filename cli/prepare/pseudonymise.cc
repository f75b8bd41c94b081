#include "cli/prepare/pseudonymise.h"

#include <sodium.h>

#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "cli/prepare/encode_rows.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "keys/oprf/client.h"
#include "linker/encode/match_key.h"
#include "linker/encode/token_seeds.h"

namespace sluis::cli {
namespace {

constexpr std::size_t kChunksUnderWay = 2;
constexpr std::uint64_t kProgressRows = 1024;

// Distinct inputs of one purpose that are evaluated together.
struct Batch {
  std::string purpose;
  std::vector<std::string> inputs;
  std::vector<std::string> lookups;

  Batch() = default;
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;
  ~Batch() {
    for (std::string& input : inputs) {
      common::Wipe(input);
    }
  }
};

struct AnsweredBatch {
  std::string purpose;
  std::string blinded;
  std::vector<std::string> lookups;
  std::string pseudonyms;
};

// Sends batches to the key holder, two at a time, and stores the answers in the order in which they were sent.
class Pipeline {
 public:
  Pipeline(const common::Permit& permit, const DeliveryName& delivery, Evaluator& evaluator, PseudonymCache& cache,
           const common::SecretBytes& seed)
      : permit_(permit), delivery_(delivery), evaluator_(evaluator), cache_(cache), blind_mac_(seed) {}
  ~Pipeline() {
    for (std::future<absl::StatusOr<AnsweredBatch>>& answer : under_way_) {
      answer.wait();
    }
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  bool IsPending(const std::string& lookup) const { return pending_.contains(lookup); }
  void MarkPending(const std::string& lookup) { pending_.insert(lookup); }

  absl::Status Send(Batch batch) {
    while (under_way_.size() >= kChunksUnderWay) {
      SLUIS_RETURN_IF_ERROR(StoreOldest());
    }
    under_way_.push_back(std::async(std::launch::async, [this, b = std::move(batch)] { return Evaluate(b); }));
    return absl::OkStatus();
  }

  absl::Status Drain() {
    while (!under_way_.empty()) {
      SLUIS_RETURN_IF_ERROR(StoreOldest());
    }
    return absl::OkStatus();
  }

  std::uint64_t evaluated() const { return evaluated_; }
  std::uint64_t tokens_evaluated() const { return tokens_evaluated_; }

 private:
  // The blind of an input is pseudorandom under the delivery's seed: as good as random for whoever lacks the seed, and
  // the same in a run after a crash. The 64 bytes make the bias of the reduction negligible.
  keys::ScalarSource BlindsFor(const Batch& batch) const {
    return [this, &batch, next = std::size_t{0}](std::span<std::uint8_t, keys::kScalarSize> out) mutable {
      const std::string& input = batch.inputs[next++];
      keys::WipedArray<64> wide;
      for (std::uint8_t half = 0; half < 2; ++half) {
        std::string label = "sluis-blind-v1";
        label.push_back(static_cast<char>(half));
        common::AppendBigEndian32(label, static_cast<std::uint32_t>(batch.purpose.size()));
        label += batch.purpose;
        common::Hash256 bytes = blind_mac_.Compute(label, input);
        std::copy(bytes.begin(), bytes.end(), wide.bytes.begin() + 32 * half);
        common::Wipe(bytes);
      }
      crypto_core_ristretto255_scalar_reduce(out.data(), wide.data());
    };
  }

  absl::StatusOr<AnsweredBatch> Evaluate(const Batch& batch) {
    keys::BlindOptions options;
    options.draw = BlindsFor(batch);
    SLUIS_ASSIGN_OR_RETURN(const keys::BlindedBatch blinded, keys::Blind(batch.inputs, options));
    Evaluator::Answer answer;
    {
      const std::lock_guard<std::mutex> lock(evaluator_mutex_);
      SLUIS_ASSIGN_OR_RETURN(const std::uint32_t chunk,
                             cache_.NumberOfChunk(delivery_, batch.purpose, blinded.elements()));
      SLUIS_ASSIGN_OR_RETURN(answer,
                             evaluator_.Evaluate(batch.purpose, delivery_.delivery_id, chunk, blinded.elements()));
    }
    absl::StatusOr<std::string> pseudonyms =
        keys::Unblind(blinded, answer.evaluated, answer.proof, permit_.oprf_public_keys.find(batch.purpose)->second);
    if (!pseudonyms.ok()) {
      return common::Annotate(pseudonyms.status(), "answer of the key service for " + batch.purpose);
    }
    return AnsweredBatch{batch.purpose, blinded.elements(), batch.lookups, *std::move(pseudonyms)};
  }

  absl::Status StoreOldest() {
    absl::StatusOr<AnsweredBatch> answered = under_way_.front().get();
    under_way_.pop_front();
    SLUIS_RETURN_IF_ERROR(answered.status());
    SLUIS_RETURN_IF_ERROR(
        cache_.StoreChunk(delivery_, answered->purpose, answered->blinded, answered->lookups, answered->pseudonyms));
    for (const std::string& lookup : answered->lookups) {
      pending_.erase(lookup);
    }
    (answered->purpose == common::kPurposeTokens ? tokens_evaluated_ : evaluated_) += answered->lookups.size();
    return absl::OkStatus();
  }

  const common::Permit& permit_;
  const DeliveryName& delivery_;
  Evaluator& evaluator_;
  PseudonymCache& cache_;
  const common::HmacSha256 blind_mac_;
  std::mutex evaluator_mutex_;
  std::unordered_set<std::string> pending_;  // collected or under way, not yet in the cache
  std::uint64_t evaluated_ = 0;
  std::uint64_t tokens_evaluated_ = 0;
  std::deque<std::future<absl::StatusOr<AnsweredBatch>>> under_way_;
};

// Has those of the tokens evaluated that the cache lacks.
absl::Status EvaluateTokens(const std::vector<std::string>& inputs, const PseudonymCache& cache,
                            const PseudonymiseOptions& options, Pipeline& pipeline, PseudonymiseProgress& progress) {
  std::vector<Batch> batches;
  for (const std::string& input : inputs) {
    std::string lookup = cache.LookupOf(common::kPurposeTokens, input);
    SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> known, cache.Find(lookup));
    if (known.has_value()) continue;
    if (batches.empty() || batches.back().inputs.size() == options.batch) {
      batches.emplace_back().purpose = common::kPurposeTokens;
    }
    batches.back().inputs.push_back(input);
    batches.back().lookups.push_back(std::move(lookup));
    ++progress.tokens;
  }
  for (Batch& batch : batches) {
    SLUIS_RETURN_IF_ERROR(pipeline.Send(std::move(batch)));
    progress.evaluated = pipeline.evaluated();
    progress.tokens_evaluated = pipeline.tokens_evaluated();
    if (options.progress) options.progress(progress);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<const common::PermitRegister*> FindPermittedRegister(const common::Permit& permit,
                                                                    std::string_view name) {
  const common::PermitRegister* reg = permit.FindRegister(name);
  if (reg == nullptr) {
    return absl::PermissionDeniedError("permit " + permit.id + " names no register " + std::string(name));
  }
  for (const std::string& key_name : reg->match_keys) {
    const common::MatchKey* key = permit.FindMatchKey(key_name);
    if (key == nullptr || !permit.oprf_public_keys.contains(key->purpose)) {
      return absl::PermissionDeniedError("permit " + permit.id + " lacks the match key " + key_name + " of register " +
                                         reg->name + " or the public key of its purpose");
    }
  }
  if (!reg->features.empty() &&
      (!permit.similarity.has_value() || !permit.oprf_public_keys.contains(common::kPurposeTokens))) {
    return absl::PermissionDeniedError("permit " + permit.id + " lacks similarity, which register " + reg->name +
                                       " has features for, or the public key of its tokens");
  }
  return reg;
}

absl::StatusOr<std::uint64_t> ForEachRow(const common::Permit& permit, const common::PermitRegister& reg,
                                         RowSource& source, const PseudonymCache& cache,
                                         std::vector<std::string>* inputs, const RowVisitor& visit) {
  std::vector<const common::MatchKey*> keys;
  for (const std::string& name : reg.match_keys) {
    keys.push_back(permit.FindMatchKey(name));
  }
  const std::size_t features = reg.features.empty() ? 0 : permit.similarity->features.size();
  std::vector<std::string> lookups(keys.size());
  if (inputs != nullptr) {
    inputs->resize(keys.size());
  }
  SourceRow row;
  for (std::uint64_t number = 0;; ++number) {
    SLUIS_ASSIGN_OR_RETURN(const bool more, source.Next(row));
    if (!more) {
      return number;
    }
    if (number == reg.max_records) {
      return absl::ResourceExhaustedError("register " + reg.name + " has more than the " +
                                          std::to_string(reg.max_records) + " records that the permit allows");
    }
    if (row.attributes.size() != reg.RowWidth() || row.components.size() != keys.size() ||
        row.features.size() != features) {
      return absl::InvalidArgumentError(
          "row " + std::to_string(number + 1) + ": " + std::to_string(row.attributes.size()) +
          " bytes of attributes, " + std::to_string(row.components.size()) + " match keys and " +
          std::to_string(row.features.size()) + " features, the permit wants " + std::to_string(reg.RowWidth()) + ", " +
          std::to_string(keys.size()) + " and " + std::to_string(features));
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      absl::StatusOr<std::optional<std::string>> input = linker::MatchKeyInput(*keys[i], row.components[i]);
      if (!input.ok()) {
        return common::Annotate(input.status(), "row " + std::to_string(number + 1));
      }
      lookups[i] = input->has_value() ? cache.LookupOf(keys[i]->purpose, **input) : std::string();
      if (input->has_value() && inputs != nullptr) {
        (*inputs)[i] = **input;
      }
      if (input->has_value()) {
        common::Wipe(**input);
      }
    }
    SLUIS_RETURN_IF_ERROR(visit(lookups, row));
    if (inputs != nullptr) {
      for (std::string& input : *inputs) {
        common::Wipe(input);
      }
    }
  }
}

absl::StatusOr<PseudonymisedRows> Pseudonymise(const common::Permit& permit, const DeliveryName& delivery,
                                               RowSource& source, Evaluator& evaluator, PseudonymCache& cache,
                                               const common::SpillDirectory& spill,
                                               const PseudonymiseOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const common::PermitRegister* reg, FindPermittedRegister(permit, delivery.register_name));
  if (options.batch < 1 || options.batch > keys::kMaxBatch) {
    return absl::InvalidArgumentError("batch must be 1 .. " + std::to_string(keys::kMaxBatch));
  }
  SLUIS_ASSIGN_OR_RETURN(const common::SecretBytes seed, cache.BlindSeed(delivery));
  SLUIS_ASSIGN_OR_RETURN(common::SpillFile file, spill.NewFile());
  PseudonymisedRows result{std::move(file), 0, 0, std::vector<std::uint64_t>(reg->match_keys.size()), 0, {}};
  SLUIS_ASSIGN_OR_RETURN(const std::optional<EncodingPlanOfRegister> encoding, FindEncodingPlan(permit, *reg));
  std::optional<linker::CollectTokens> tokens;
  if (encoding.has_value()) {
    SLUIS_ASSIGN_OR_RETURN(tokens, linker::CollectTokens::Make(encoding->plan, encoding->date_orders));
  }
  Pipeline pipeline(permit, delivery, evaluator, cache, seed);
  std::map<std::string, Batch> collected;  // by purpose
  PseudonymiseProgress progress;
  std::vector<std::string> inputs;
  std::string record;

  const auto visit = [&](const std::vector<std::string>& lookups, const SourceRow& row) -> absl::Status {
    common::Wipe(record);
    record.clear();
    for (std::size_t i = 0; i < lookups.size(); ++i) {
      const std::string& lookup = lookups[i];
      record.append(lookup.empty() ? std::string(PseudonymCache::kLookupBytes, '\0') : lookup);
      if (lookup.empty()) {
        ++result.absent[i];
        continue;
      }
      if (pipeline.IsPending(lookup)) {
        continue;
      }
      SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> known, cache.Find(lookup));
      if (known.has_value()) {
        continue;
      }
      pipeline.MarkPending(lookup);
      ++progress.distinct;
      Batch& batch = collected[permit.FindMatchKey(reg->match_keys[i])->purpose];
      batch.inputs.push_back(inputs[i]);
      batch.lookups.push_back(lookup);
      if (batch.inputs.size() == options.batch) {
        batch.purpose = permit.FindMatchKey(reg->match_keys[i])->purpose;
        SLUIS_RETURN_IF_ERROR(pipeline.Send(std::exchange(batch, Batch())));
      }
    }
    if (tokens.has_value()) {
      absl::Status status = AppendFeatures(encoding->plan, row.features, record);
      if (status.ok()) status = tokens->Add(row.features);
      if (!status.ok()) return common::Annotate(status, "row " + std::to_string(progress.rows + 1));
    }
    record.append(row.attributes);
    SLUIS_RETURN_IF_ERROR(result.rows.Append(record));
    if (++progress.rows % kProgressRows == 0 && options.progress) {
      progress.evaluated = pipeline.evaluated();
      options.progress(progress);
    }
    return absl::OkStatus();
  };
  SLUIS_ASSIGN_OR_RETURN(result.count, ForEachRow(permit, *reg, source, cache, &inputs, visit));
  for (auto& [purpose, batch] : collected) {
    if (!batch.inputs.empty()) {
      batch.purpose = purpose;
      SLUIS_RETURN_IF_ERROR(pipeline.Send(std::move(batch)));
    }
  }
  common::Wipe(record);
  SLUIS_RETURN_IF_ERROR(result.rows.Finish());
  if (tokens.has_value()) {
    result.token_inputs = tokens->Inputs();
    SLUIS_RETURN_IF_ERROR(EvaluateTokens(result.token_inputs, cache, options, pipeline, progress));
  }
  SLUIS_RETURN_IF_ERROR(pipeline.Drain());
  result.evaluated = pipeline.evaluated();
  result.tokens_evaluated = pipeline.tokens_evaluated();
  if (options.progress) {
    progress.evaluated = pipeline.evaluated();
    progress.tokens_evaluated = pipeline.tokens_evaluated();
    options.progress(progress);
  }
  return result;
}

}  // namespace sluis::cli
