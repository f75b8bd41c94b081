#include "linker/store/link_residue.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"
#include "linker/fuzzy/match_records.h"
#include "linker/store/residue_rows.h"

namespace sluis::linker {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;
// Of a row beside its encodings: exact tokens while they are sorted, lists of best scores, scored pairs, clustering.
constexpr std::uint64_t kMatchingBytesPerRow = 256;
// The part of the memory that candidate pairs may take, and below which none could be found.
constexpr std::uint64_t kCandidateParts = 4;
constexpr std::uint64_t kLeastCandidateBytes = 8 * kMebibyte;
constexpr std::chrono::milliseconds kAskCancelled(50);

// Requests a stop once `cancelled` says so.
class CancelWatch {
 public:
  explicit CancelWatch(const std::function<bool()>& cancelled) {
    if (cancelled) {
      thread_ = std::jthread([this, cancelled](const std::stop_token& end) {
        std::unique_lock lock(mutex_);
        while (!end.stop_requested()) {
          if (cancelled()) {
            source_.request_stop();
            return;
          }
          wake_.wait_for(lock, end, kAskCancelled, [] { return false; });
        }
      });
    }
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all above
};

// Checks that all rows fit, before any is read. A row is a source entity at most, or a backbone record.
absl::Status CheckMemory(const EncodingPlan& plan, const DeliveryRecord& backbone,
                         std::span<const ResidueSatellite> satellites, std::uint64_t memory_bytes) {
  std::vector<std::uint64_t> rows = {backbone.header.records};
  std::uint64_t needed = 0;
  for (const ResidueSatellite& satellite : satellites) {
    rows.push_back(satellite.links->report.entities);
    // Its links, and its rows by entity.
    needed += satellite.delivery->header.records * (1 + 2 * sizeof(std::uint32_t));
  }
  needed += backbone.header.records * sizeof(std::uint32_t);  // a satellite's rows by person, while they are made
  for (const std::uint64_t count : rows) {
    needed += count * (BytesPerRow(plan) + kMatchingBytesPerRow);
  }
  // A comparison copies the rows of both registers that the passes left over.
  std::partial_sort(rows.begin(), rows.begin() + 2, rows.end(), std::greater<>());
  needed += (rows[0] + rows[1]) * BytesPerRow(plan);
  const std::uint64_t least =
      std::max(needed / (kCandidateParts - 1) * kCandidateParts, kLeastCandidateBytes * kCandidateParts);
  if (memory_bytes >= least) {
    return absl::OkStatus();
  }
  return common::WithReason(
      absl::ResourceExhaustedError(absl::StrCat("linking by similarity needs ", least / kMebibyte + 1,
                                                " MiB for these deliveries, and may use ", memory_bytes / kMebibyte,
                                                "; the linker's operator can set similarity_memory_mebibytes")),
      "SIMILARITY_MEMORY");
}

MatchPlan MakePlan(const EncodingPlan& plan, std::uint64_t memory_bytes) {
  MatchPlan match;
  match.encoding = plan;
  match.passes = {{.field = "backbone"}};
  // A part of the setting and not what the rows leave: kept comparisons hold for one bound only.
  match.memory_bytes = memory_bytes / kCandidateParts;
  return match;
}

// The same for all linkages of a project, so that comparisons can be kept; not a secret.
std::uint64_t SeedOf(const EncodingPlan& plan) {
  const common::Hash256 digest = plan.Digest();
  return common::ReadBigEndian64(
      common::AsChars(common::Sha256("sluis-similarity-seed-v1\n" + std::string(common::AsChars(digest)))));
}

EstimatedShare ToShare(const Estimate& estimate) {
  const auto millionths = [](double share) {
    return static_cast<std::uint32_t>(std::lround(std::clamp(share, 0.0, 1.0) * 1e6));
  };
  return {.value = millionths(estimate.value), .low = millionths(estimate.low), .high = millionths(estimate.high)};
}

// Returns the comparison of the backbone (source 0) with `source`, or null.
const ComparisonReport* ComparisonWithBackbone(const MatchReport& report, std::uint32_t source) {
  const auto found = std::find_if(report.comparisons.begin(), report.comparisons.end(),
                                  [source](const auto& c) { return c.source_a == 0 && c.source_b == source; });
  return found == report.comparisons.end() ? nullptr : &*found;
}

SimilarityReport BeginReport(const ComparisonReport* comparison) {
  SimilarityReport report;
  if (comparison == nullptr || comparison->skipped) {
    report.outcome = SimilarityOutcome::kNothingLeft;
  } else if (!comparison->fit.credible) {
    report.outcome = SimilarityOutcome::kNotCredible;
  } else {
    report.outcome = SimilarityOutcome::kCredible;
    report.precision = ToShare(comparison->fit.precision);
    report.recall = ToShare(comparison->fit.recall);
  }
  return report;
}

// Returns by entity of the clustering its backbone record, which is its row there, kWithoutRow if it has none.
std::vector<std::uint32_t> BackboneOfCluster(const Clustering& clustering) {
  const std::vector<std::uint32_t>& entity_of_record = clustering.entity_of[0];
  std::vector<std::uint32_t> backbone_of(clustering.entities.size(), kWithoutRow);
  for (std::uint32_t record = 0; record < entity_of_record.size(); ++record) {
    backbone_of[entity_of_record[record]] = record;
  }
  return backbone_of;
}

// Enters into the satellite's links what the clustering found for its rows.
void EnterLinks(const std::vector<std::uint32_t>& row_of_entity, const std::vector<std::uint32_t>& cluster_of_row,
                const std::vector<std::uint32_t>& backbone_of, std::uint8_t similarity_pass,
                SimilarityReport similarity, SatelliteLinks& links) {
  LinkageReport& report = links.report;
  const std::size_t records = similarity.outcome == SimilarityOutcome::kCredible ? links.pass.size() : 0;
  for (std::uint32_t record = 0; record < records; ++record) {
    if (links.pass[record] != kNotFound) {
      continue;
    }
    // The first record of an entity comes first, and is overwritten by itself only.
    const std::uint32_t entity = links.entity[record];
    const std::uint32_t row = row_of_entity[entity];
    const std::uint32_t person = row == kWithoutRow ? kWithoutRow : backbone_of[cluster_of_row[row]];
    if (person == kWithoutRow) {
      continue;
    }
    similarity.links += entity == record ? 1 : 0;
    ++similarity.linked_records;
    links.pass[record] = similarity_pass;
    links.entity[record] = person;
  }
  report.unlinked -= similarity.links;
  report.unlinked_records -= similarity.linked_records;
  report.similarity = similarity;
}

}  // namespace

absl::Status LinkResidue(const ProjectReader& reader, const EncodingPlan& plan, const DeliveryRecord& backbone,
                         std::span<const ResidueSatellite> satellites, std::uint8_t similarity_pass,
                         const ResidueOptions& options) {
  if (satellites.empty()) {
    return absl::OkStatus();
  }
  SLUIS_RETURN_IF_ERROR(CheckMemory(plan, backbone, satellites, options.memory_bytes));
  const auto ended = [&options] { return options.cancelled && options.cancelled(); };
  std::vector<MatchSource> sources;
  SLUIS_ASSIGN_OR_RETURN(sources.emplace_back(), BackboneRows(reader, backbone, plan));
  std::vector<std::vector<std::uint32_t>> row_of_entity;
  for (const ResidueSatellite& satellite : satellites) {
    if (ended()) {
      return absl::CancelledError("the linkage was cancelled");
    }
    SLUIS_ASSIGN_OR_RETURN(ResidueRows rows, SatelliteRows(reader, *satellite.delivery, plan, satellite.many_per_person,
                                                           *satellite.links, backbone.header.records));
    sources.push_back(std::move(rows.source));
    row_of_entity.push_back(std::move(rows.row_of_entity));
  }

  const CancelWatch watch(options.cancelled);
  MatchOptions match;
  match.mode = MatchMode::kLink;
  match.seed = SeedOf(plan);
  match.threads = static_cast<unsigned>(std::max(options.threads, 1));
  match.stop = watch.token();
  match.store = options.comparisons;
  match.progress = [&options](const std::string&, std::size_t done, std::size_t steps) {
    if (options.progress) {
      options.progress(done, steps);
    }
  };
  SLUIS_ASSIGN_OR_RETURN(const MatchResult matched, MatchRecords(sources, MakePlan(plan, options.memory_bytes), match));
  const std::vector<std::uint32_t> backbone_of = BackboneOfCluster(matched.clustering);
  for (std::uint32_t i = 0; i < satellites.size(); ++i) {
    EnterLinks(row_of_entity[i], matched.clustering.entity_of[i + 1], backbone_of, similarity_pass,
               BeginReport(ComparisonWithBackbone(matched.report, i + 1)), *satellites[i].links);
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
