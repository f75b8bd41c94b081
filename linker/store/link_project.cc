#include "linker/store/link_project.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/encode/permit_plan.h"
#include "linker/store/kept_comparisons.h"
#include "linker/store/link_residue.h"

namespace sluis::linker {
namespace {

// The tokens of a delivery, as matching reads them.
class StoredTokens : public TokenSource {
 public:
  StoredTokens(const ProjectReader& reader, const DeliveryRecord& delivery) : reader_(reader), delivery_(delivery) {}

  std::uint64_t records() const override { return delivery_.header.records; }
  absl::Status Scan(const std::function<absl::Status(const TokenChunk&)>& visit) const override {
    return reader_.ScanTokens(delivery_, visit);
  }

 private:
  const ProjectReader& reader_;
  const DeliveryRecord& delivery_;
};

// Returns the current deliveries, the backbone's first, then in the permit's order.
absl::StatusOr<std::vector<DeliveryRecord>> CurrentDeliveries(const ProjectReader& reader,
                                                              const common::Permit& permit) {
  std::vector<DeliveryRecord> deliveries;
  for (const common::PermitRegister& named : permit.registers) {
    SLUIS_ASSIGN_OR_RETURN(std::optional<DeliveryRecord> current, reader.Current(named.name));
    if (!current) {
      if (named.backbone) {
        return common::WithReason(
            absl::FailedPreconditionError(
                absl::StrCat("register ", named.name, ": the backbone has no delivery; its custodian must submit one")),
            "BACKBONE_MISSING");
      }
      continue;
    }
    if (current->header.permit_sha256 != permit.sha256) {
      return common::WithReason(
          absl::FailedPreconditionError(absl::StrCat(
              "register ", named.name, ": it was delivered under another version of the permit; deliver it again")),
          "PERMIT_CHANGED");
    }
    deliveries.insert(named.backbone ? deliveries.begin() : deliveries.end(), *std::move(current));
  }
  return deliveries;
}

RegisterTokens TokensOf(const DeliveryRecord& delivery, const common::Permit& permit, const TokenSource& source) {
  RegisterTokens tokens;
  tokens.name = delivery.header.register_name;
  tokens.many_per_person = permit.FindRegister(tokens.name)->many_per_person;
  tokens.source = &source;
  for (const std::string& match_key : delivery.header.match_keys) {
    tokens.passes.push_back(static_cast<int>(permit.FindMatchKey(match_key) - permit.match_keys.data()));
  }
  return tokens;
}

// Returns the link set that was made of exactly `deliveries` under this version of the permit and is still there.
std::optional<StoredLinkSet> LinkSetOf(const std::vector<DeliveryRecord>& deliveries, const common::Permit& permit,
                                       const std::vector<StoredLinkSet>& link_sets) {
  const auto found = std::find_if(link_sets.begin(), link_sets.end(), [&](const StoredLinkSet& link_set) {
    return !link_set.deleted() && link_set.header.permit_sha256 == permit.sha256 &&
           std::equal(
               deliveries.begin(), deliveries.end(), link_set.header.registers.begin(), link_set.header.registers.end(),
               [](const DeliveryRecord& delivery, const LinkedRegister& linked) {
                 return delivery.header.register_name == linked.name && delivery.sha256 == linked.delivery_sha256;
               });
  });
  return found == link_sets.end() ? std::nullopt : std::optional(*found);
}

absl::Status CheckLimit(const common::Permit& permit, const std::vector<StoredLinkSet>& link_sets) {
  const auto made = std::count_if(link_sets.begin(), link_sets.end(), [&](const StoredLinkSet& link_set) {
    return link_set.header.permit_sha256 == permit.sha256;
  });
  if (made < static_cast<std::ptrdiff_t>(permit.max_link_sets)) {
    return absl::OkStatus();
  }
  return common::WithReason(
      absl::ResourceExhaustedError(absl::StrCat(
          "all ", permit.max_link_sets,
          " link sets that this version of the permit allows (linkage_report.max_link_sets)"
          " were made; the newest stays in use; for more, ask the approvers for a new version of the permit")),
      "LINK_SET_LIMIT");
}

// What is to be linked, and the link set that was made of it before.
struct Plan {
  std::vector<DeliveryRecord> deliveries;
  std::optional<StoredLinkSet> done;
};

absl::StatusOr<Plan> MakePlan(const ProjectReader& reader, const common::Permit& permit) {
  Plan plan;
  SLUIS_ASSIGN_OR_RETURN(plan.deliveries, CurrentDeliveries(reader, permit));
  SLUIS_ASSIGN_OR_RETURN(const std::vector<StoredLinkSet> link_sets, reader.LinkSets());
  plan.done = LinkSetOf(plan.deliveries, permit, link_sets);
  if (!plan.done) {
    SLUIS_RETURN_IF_ERROR(CheckLimit(permit, link_sets));
  }
  return plan;
}

// Returns the satellites, by number, that are linked by similarity: those with encodings, if the backbone has them too.
std::vector<std::size_t> LinkedBySimilarity(const std::vector<DeliveryRecord>& deliveries) {
  std::vector<std::size_t> satellites;
  for (std::size_t i = 1; i < deliveries.size(); ++i) {
    if (deliveries[0].header.encoding_bytes != 0 && deliveries[i].header.encoding_bytes != 0) {
      satellites.push_back(i - 1);
    }
  }
  return satellites;
}

// Returns `options` with progress that ends at a part of the whole: `parts` equal ones are to come.
LinkOptions WithProgressTo(LinkOptions options, std::uint64_t parts) {
  if (options.progress) {
    options.progress = [progress = std::move(options.progress), parts](std::uint64_t scanned, std::uint64_t total) {
      progress(scanned, parts * total);
    };
  }
  return options;
}

ResidueOptions ToResidueOptions(const LinkOptions& options, const SimilarityOptions& similarity,
                                KeptComparisons& comparisons) {
  ResidueOptions residue;
  residue.memory_bytes = similarity.memory_bytes;
  residue.threads = options.threads;
  if (options.progress) {
    residue.progress = [progress = options.progress](std::uint64_t done, std::uint64_t total) {
      progress(total + done, 2 * total);
    };
  }
  residue.cancelled = options.cancelled;
  residue.comparisons = &comparisons;
  return residue;
}

}  // namespace

absl::Status CheckLinkable(const ProjectReader& reader, const common::Permit& permit) {
  return MakePlan(reader, permit).status();
}

absl::StatusOr<PreparedLinkSet> LinkProject(RecordStore& store, const common::Permit& permit, common::SecretBytes seed,
                                            const LinkOptions& options, std::int64_t now_seconds,
                                            const SimilarityOptions& similarity) {
  if (permit.id != store.project()) {
    return absl::InvalidArgumentError("the permit is not this project's");
  }
  SLUIS_ASSIGN_OR_RETURN(const std::unique_ptr<LinkSetWriter> writer, LinkSetWriter::Create(store));
  const ProjectReader& snapshot = writer->snapshot();
  SLUIS_ASSIGN_OR_RETURN(Plan plan, MakePlan(snapshot, permit));
  if (plan.done) {
    return writer->Reuse(*std::move(plan.done));
  }
  const std::vector<DeliveryRecord>& deliveries = plan.deliveries;
  SLUIS_RETURN_IF_ERROR(writer->Begin());

  std::vector<StoredTokens> sources;
  sources.reserve(deliveries.size());
  std::vector<RegisterTokens> registers;
  for (const DeliveryRecord& delivery : deliveries) {
    registers.push_back(TokensOf(delivery, permit, sources.emplace_back(snapshot, delivery)));
  }
  std::vector<std::string> match_keys;
  for (const common::MatchKey& match_key : permit.match_keys) {
    match_keys.push_back(match_key.name);
  }

  LinkageIds ids(std::move(seed));
  LinkSetHeader header;
  header.permit_id = permit.id;
  header.permit_sha256 = permit.sha256;
  header.made_seconds = now_seconds;
  header.registers.resize(deliveries.size());
  header.reports.resize(deliveries.size() - 1);
  const auto write = [&](std::size_t satellite, SatelliteLinks links) -> absl::Status {
    header.reports[satellite] = std::move(links.report);
    const auto number = static_cast<std::uint32_t>(satellite + 1);
    SLUIS_ASSIGN_OR_RETURN(header.registers[number],
                           writer->WriteRegister(deliveries[number], [&](std::uint32_t record) {
                             const bool found = links.pass[record] != kNotFound;
                             return LinkSetWriter::Link{ids.Get(found ? 0 : number, links.entity[record]), found};
                           }));
    return absl::OkStatus();
  };
  const std::vector<std::size_t> by_similarity = LinkedBySimilarity(deliveries);
  std::map<std::size_t, SatelliteLinks> kept;  // until the residue is linked
  const std::span<const RegisterTokens> satellites(registers.begin() + 1, registers.end());
  SLUIS_RETURN_IF_ERROR(
      LinkSatellites(registers[0], satellites, match_keys, by_similarity.empty() ? options : WithProgressTo(options, 2),
                     [&](std::size_t satellite, SatelliteLinks links) -> absl::Status {
                       if (!std::binary_search(by_similarity.begin(), by_similarity.end(), satellite)) {
                         return write(satellite, std::move(links));
                       }
                       kept[satellite] = std::move(links);
                       return absl::OkStatus();
                     }));
  KeptComparisons comparisons(store, deliveries);
  if (!by_similarity.empty()) {
    std::vector<ResidueSatellite> residue;
    for (const std::size_t satellite : by_similarity) {
      residue.push_back({&deliveries[satellite + 1], satellites[satellite].many_per_person, &kept[satellite]});
    }
    SLUIS_ASSIGN_OR_RETURN(const EncodingPlan encoding, PlanOf(permit));
    SLUIS_RETURN_IF_ERROR(LinkResidue(snapshot, encoding, deliveries[0], residue,
                                      static_cast<std::uint8_t>(match_keys.size()),
                                      ToResidueOptions(options, similarity, comparisons)));
    for (auto& [satellite, links] : kept) {
      SLUIS_RETURN_IF_ERROR(write(satellite, std::move(links)));
    }
  }
  SLUIS_RETURN_IF_ERROR(comparisons.DropOthers());
  SLUIS_ASSIGN_OR_RETURN(header.registers[0], writer->WriteRegister(deliveries[0], [&](std::uint32_t record) {
    return LinkSetWriter::Link{ids.Get(0, record), true};
  }));
  SLUIS_ASSIGN_OR_RETURN(PreparedLinkSet prepared, writer->Prepare(std::move(header)));
  prepared.damaged_comparison_parts = comparisons.damaged_parts();
  return prepared;
}

}  // namespace sluis::linker
