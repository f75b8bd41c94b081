#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluis::linker {

// What one pass did with the source entities of one satellite that no earlier pass had linked.
struct PassReport {
  std::string match_key;
  std::uint64_t links = 0;           // source entities linked
  std::uint64_t linked_records = 0;  // records of those entities
  std::uint64_t conflicts = 0;       // entities not linked because they contradict another claim on the same person
  std::uint64_t ambiguous = 0;       // entities whose token stands at several backbone records
  std::uint64_t unavailable = 0;     // entities whose backbone record an earlier pass gave to another entity

  friend bool operator==(const PassReport&, const PassReport&) = default;
};

// An estimated share with the limits of its 90 % interval, in millionths.
struct EstimatedShare {
  std::uint32_t value = 0;
  std::uint32_t low = 0;
  std::uint32_t high = 0;

  friend bool operator==(const EstimatedShare&, const EstimatedShare&) = default;
};

// What came of comparing a satellite's residue with the backbone's by similarity encodings.
enum class SimilarityOutcome : std::uint8_t {
  kCredible = 1,     // the estimates hold, and links follow them
  kNotCredible = 2,  // no estimate could be believed: nothing was linked
  kNothingLeft = 3,  // the passes left no record with encodings in the satellite or on the backbone: nothing to link
};

// What similarity did with the source entities that no pass had linked. Estimates, in SimilarityOutcome::kCredible
// only, are about the links of this step: no truth is known.
struct SimilarityReport {
  SimilarityOutcome outcome = SimilarityOutcome::kNothingLeft;
  std::uint64_t links = 0;           // source entities linked
  std::uint64_t linked_records = 0;  // records of those entities
  EstimatedShare precision;          // of the links, those that join one person
  EstimatedShare recall;             // of the residue's entities that are on the backbone, those linked

  friend bool operator==(const SimilarityReport&, const SimilarityReport&) = default;
};

// How the linkage of one satellite went. Conservation: entities = sum of links (of passes and similarity) + unlinked,
// and records = sum of linked_records + unlinked_records. Exact counts: for the linker itself; what leaves is a
// RoundedReport.
struct LinkageReport {
  std::string register_name;
  std::uint64_t records = 0;
  std::uint64_t entities = 0;      // source entities
  std::vector<PassReport> passes;  // one per match key of the permit, in its order
  std::uint64_t unlinked = 0;      // source entities
  std::uint64_t unlinked_records = 0;
  std::optional<SimilarityReport> similarity = {};  // absent: the satellite, or the backbone, has no encodings

  friend bool operator==(const LinkageReport&, const LinkageReport&) = default;
};

// Returns `report` with every count rounded to the nearest multiple of `rounding` (halves upwards), and estimates to
// whole percents (the value to the nearest, the interval outwards), or nullopt if the
// extract has fewer than `minimum_records` records: the report on a one-record extract would answer the question "is
// this person in that register?".
//
// Each count is rounded on its own, so that sums no longer add up and no exact count follows from the others. Nor does
// one from similarity's outcome: kNothingLeft says that what the passes left over rounds to none, and where it does
// not, kNotCredible covers none that could be compared (everyone on the backbone is linked) as well as one or a few.
// Precondition: rounding >= 1.
[[nodiscard]] std::optional<LinkageReport> RoundedReport(const LinkageReport& report, std::uint64_t rounding,
                                                         std::uint64_t minimum_records);

}  // namespace sluis::linker
