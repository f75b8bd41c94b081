#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/release/evidence.h"
#include "disclosure/system/binary.h"

// One description of the format serves writing and reading: Describe visits every field in order with either codec.

namespace sluis::disclosure {
namespace {

constexpr std::string_view kMagic = "sluis-evidence-v1\n";

using Writer = BinaryWriter;
using Reader = BinaryReader;

template <typename Value>
void DescribeMap(Writer& codec, const std::map<std::string, Value>& map) {
  codec.List(map, [&](const auto& item) {
    codec.Field(item.first);
    codec.Field(item.second);
  });
}
template <typename Value>
void DescribeMap(Reader& codec, std::map<std::string, Value>& map) {
  std::vector<std::pair<std::string, Value>> items;
  codec.List(items, [&](auto& item) {
    codec.Field(item.first);
    codec.Field(item.second);
  });
  for (auto& item : items) {
    // Ascending, so that a map has one form.
    if (!map.empty() && item.first <= map.rbegin()->first) codec.Fail();
    map.insert(std::move(item));
  }
}

template <typename Codec, typename List>
void Items(Codec& codec, List& list) {
  codec.List(list, [&](auto& item) { codec.Field(item); });
}

template <typename Codec, typename System>
void DescribeSystem(Codec& codec, System& system) {
  codec.Field(system.num_cells);
  Items(codec, system.relations.total);
  Items(codec, system.relations.part_begin);
  Items(codec, system.relations.part);
  Items(codec, system.suppressible);
  Items(codec, system.cost);
  codec.List(system.measures, [&](auto& measure) {
    codec.Field(measure.name);
    Items(codec, measure.value);
    Items(codec, measure.reason);
    Items(codec, measure.lower_level);
    Items(codec, measure.upper_level);
    Items(codec, measure.upper_bound);
  });
}

template <typename Codec, typename Evidences>
void Describe(Codec& codec, Evidences& evidence) {
  codec.Field(evidence.request_id);
  codec.Field(evidence.permit_id);
  codec.Field(evidence.link_set);
  codec.Field(evidence.software);
  codec.Field(evidence.permit_sha256);
  codec.Field(evidence.request);
  codec.Field(evidence.rule_set);
  DescribeMap(codec, evidence.attachments);
  codec.List(evidence.tables, [&](auto& table) {
    codec.Field(table.name);
    codec.List(table.dimensions, [&](auto& dimension) {
      codec.Field(dimension.name);
      codec.List(dimension.codes, [&](auto& code) {
        codec.Field(code.code);
        codec.Field(code.label);
        codec.Field(code.level);
      });
    });
    Items(codec, table.measures);
    Items(codec, table.cell_of);
  });
  DescribeSystem(codec, evidence.request_system.system);
  codec.List(evidence.request_system.views, [&](auto& view) {
    codec.Field(view.measure);
    codec.Field(view.kind);
    codec.Field(view.by_holding);
    Items(codec, view.cells.contributors);
    Items(codec, view.cells.total);
    codec.Field(view.cells.top_per_cell);
    Items(codec, view.cells.top);
  });
  Items(codec, evidence.pattern);
  codec.Field(evidence.certificate);
  DescribeMap(codec, evidence.released_sha256);
}

template <typename Codec, typename Evidences>
void DescribePerturbed(Codec& codec, Evidences& evidence) {
  codec.List(evidence.perturbed, [&](auto& perturbed) {
    codec.Field(perturbed.measure);
    codec.Field(perturbed.method);
    codec.Field(perturbed.values.steps);
    Items(codec, perturbed.values.value);
    Items(codec, perturbed.withheld);
    Items(codec, perturbed.draws);
    codec.Field(perturbed.table);
  });
}

// Which measures are perturbed follows from the list of them.
void MarkPerturbed(Evidence& evidence) {
  RequestSystem& request = evidence.request_system;
  request.perturbed.assign(request.system.measures.size(), 0);
  for (const PerturbedMeasure& perturbed : evidence.perturbed) {
    const auto m = static_cast<std::size_t>(perturbed.measure);
    if (m < request.perturbed.size()) request.perturbed[m] = 1;
  }
}

// Indices that later code uses without a look must be in range before it does.
bool RelationsAreWellFormed(const CellSystem& system) {
  const Relations& relations = system.relations;
  if (system.num_cells < 0 || relations.part_begin.size() != relations.total.size() + 1 ||
      relations.part_begin[0] != 0 || relations.part_begin.back() != static_cast<std::int64_t>(relations.part.size()) ||
      !std::is_sorted(relations.part_begin.begin(), relations.part_begin.end())) {
    return false;
  }
  const auto in_range = [&](std::int32_t cell) { return cell >= 0 && cell < system.num_cells; };
  return std::all_of(relations.total.begin(), relations.total.end(), in_range) &&
         std::all_of(relations.part.begin(), relations.part.end(), in_range);
}

bool EnumsAreKnown(const Evidence& evidence) {
  for (const Measure& measure : evidence.request_system.system.measures) {
    for (const PrimaryReason reason : measure.reason) {
      if (reason > PrimaryReason::kGroup) return false;
    }
  }
  return std::all_of(evidence.request_system.views.begin(), evidence.request_system.views.end(),
                     [](const ContributionView& view) {
                       return view.kind == MeasureKind::kCount || view.kind == MeasureKind::kAmount;
                     });
}

}  // namespace

std::string EncodeEvidence(const Evidence& evidence) {
  Writer writer;
  Describe(writer, evidence);
  // Evidence of suppression alone ends before this list.
  if (!evidence.perturbed.empty()) DescribePerturbed(writer, evidence);
  return std::string(kMagic) + writer.Take();
}

absl::StatusOr<Evidence> DecodeEvidence(std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::InvalidArgumentError("evidence: no evidence of version 1");
  }
  Reader reader(bytes.substr(kMagic.size()));
  Evidence evidence;
  Describe(reader, evidence);
  if (reader.good() && !reader.at_end()) {
    DescribePerturbed(reader, evidence);
    if (evidence.perturbed.empty()) return absl::InvalidArgumentError("evidence: has bytes left over");
  }
  if (!reader.good()) return absl::InvalidArgumentError("evidence: is truncated or malformed");
  if (!reader.at_end()) return absl::InvalidArgumentError("evidence: has bytes left over");
  if (!RelationsAreWellFormed(evidence.request_system.system) || !EnumsAreKnown(evidence)) {
    return absl::InvalidArgumentError("evidence: an index or code is out of range");
  }
  MarkPerturbed(evidence);
  return evidence;
}

}  // namespace sluis::disclosure
