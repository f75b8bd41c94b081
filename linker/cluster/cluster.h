#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/score/scored_pair.h"

namespace sluis::linker {

// A register (or an extract of it) whose records are to be grouped into entities: persons.
struct ClusterSource {
  std::uint32_t records = 0;
  // Whether it has at most one record of a person. Then an entity has at most one of its records. A source that may
  // hold several, and every source to be deduplicated, has false.
  bool one_per_person = true;
};

struct RecordRef {
  std::uint32_t source = 0;  // position in ClusterInput::sources
  std::uint32_t row = 0;     // from 0 within the source

  friend auto operator<=>(const RecordRef&, const RecordRef&) = default;
};

// Scores between two sources, or within one (source_a == source_b). That it is there, even without pairs, says that
// these sources were compared: a pair of their records that has no score then counts as evidence against.
struct SourcePairs {
  std::uint32_t source_a = 0;
  std::uint32_t source_b = 0;
  std::span<const ScoredPair> pairs;
};

// Two records that a deterministic pass says are one person.
struct FixedPair {
  RecordRef a;
  RecordRef b;
  std::uint32_t pass = 0;  // passes merge in ascending order

  friend bool operator==(const FixedPair&, const FixedPair&) = default;
};

// Two records that must not be in one entity.
struct ApartPair {
  RecordRef a;
  RecordRef b;
};

struct ClusterInput {
  std::span<const ClusterSource> sources;
  std::span<const SourcePairs> pairs;
  std::span<const FixedPair> fixed = {};
  std::span<const ApartPair> apart = {};
};

enum class ClusterMethod {
  kAuto,           // kAssignment where it applies, else kAverageLinkage
  kAssignment,     // optimal assignment between two sides, see ClusterRecords
  kAverageLinkage  // agglomerative clustering
};

// All log odds are natural logarithms.
struct ClusterOptions {
  ClusterMethod method = ClusterMethod::kAuto;
  // What the log odds of a pair, or the average of two clusters, must exceed. Within +-max_log_odds.
  double threshold = 0;
  // What a pair counts in an average if its sources were compared and it has no score: candidate selection or a bound
  // found it unlike. At most `threshold`. The default, odds of 1 to 20, is weaker than a typical compared non-match,
  // because the selection misses some matches.
  double missing_log_odds = -3;
  // Log odds in averages are limited to +- this, so that one near-certain pair cannot outweigh many missing ones: with
  // the defaults a record that resembles one member only joins a cluster of at most 4. Above 0, at most 1,000. A fixed
  // pair counts as this much.
  double max_log_odds = 12;
  // Once a stop is requested the call returns CANCELLED, within about a second, unless it is sorting.
  std::stop_token stop = {};
};

// Statuses of a record, as in links.csv.
enum class LinkStatus : std::uint8_t {
  kSingle,    // "single": alone in its entity
  kLinked,    // "linked": with others
  kConflict,  // "conflict": in a fixed pair that was refused; it may be alone or with others
};

// "single", "linked" or "conflict".
[[nodiscard]] std::string_view LinkStatusName(LinkStatus status);

enum class ConflictReason {
  kOnePerPerson,   // merging would put two records of a one-per-person source into an entity
  kApart,          // merging would join an ApartPair
  kEntitiesExist,  // merging would join two entities that existed before (ClusterInto)
  kCommonValue,    // the caller's: the value that the two share is too frequent to say who is one person
};

// A fixed pair that was not merged.
struct Conflict {
  FixedPair pair;
  ConflictReason reason;
};

// How sure an entity is. Its pairs are those whose sources were compared, and fixed ones.
struct Entity {
  std::uint32_t records = 0;
  std::uint64_t pairs = 0;         // of its records
  std::uint64_t scored_pairs = 0;  // of these with a score, or fixed
  std::int64_t scored_units = 0;   // sum of the (limited) log odds of these, in units of 1 / kLogOddsUnits
  // Mean and least of the limited log odds over `pairs`, those without a score as missing_log_odds. 0 without pairs.
  double mean_log_odds = 0;
  double min_log_odds = 0;

  friend bool operator==(const Entity&, const Entity&) = default;
};

struct ClusterStats {
  std::uint64_t pairs = 0;              // distinct pairs with a score, of different units
  std::uint64_t fixed_merges = 0;       // merges by fixed pairs
  std::uint64_t merges = 0;             // merges by log odds
  std::uint64_t components = 0;         // connected components of the pairs above the threshold
  std::uint64_t largest_component = 0;  // units (records, or groups merged before) in the largest
  std::uint64_t ignored_pairs = 0;      // ClusterInto: scored pairs of two old records
  bool assigned = false;                // kAssignment was used
};

struct Clustering {
  // By source and row: position in `entities`.
  std::vector<std::vector<std::uint32_t>> entity_of;
  std::vector<std::vector<LinkStatus>> status;
  // Ascending by first record (source, then row); after ClusterInto: the existing ones as they were numbered, then new.
  std::vector<Entity> entities;
  // In the order of ClusterInput::fixed; after ClusterInto those of `existing` come first.
  std::vector<Conflict> conflicts;
  ClusterStats stats;
};

// Returns the entities that the scored pairs, constraints and sources amount to. Every record is in exactly one.
//
// 1. Fixed pairs, pass by pass. Within a pass the connected groups of its pairs and of what was merged before are
// looked
//    at as a whole: a group without contradiction is merged; of one with a contradiction nothing is, and each of its
//    pairs is a Conflict. So the outcome does not depend on the order of pairs or rows, an identifier that many records
//    share by mistake merges nothing, and an earlier pass prevails over a later one. Records in conflict stay available
//    to the scores.
// 2. kAssignment, for exactly two sources of which one at least is one-per-person, without pairs within a source: the
//    links with the largest sum of log odds above the threshold, as AssignPairs: one-to-one if both are one-per-person,
//    else one-to-many, which excludes `apart`. Log odds are not limited. A fixed group stands where its record would,
//    and counts with its average. kAuto takes this method whenever it applies.
// 3. kAverageLinkage otherwise: as long as two clusters may be merged and the average log odds over all pairs of
//    compared sources between them exceed the threshold, those with the largest average are merged. A chain of alike
//    records does not grow into one entity, since the pairs at its ends count too. Details, order of ties:
//    agglomerate.h.
//
// The result depends on the set of pairs only, not on their order. Log odds are rounded to multiples of 2^-20 and
// averages down to that. Of a pair given twice the larger log odds count.
//
// Errors: INVALID_ARGUMENT if there are no sources, over 63, or 2^32 - 1 records or pairs; if a source or row is out of
// range, a record is paired with itself, log odds are NaN or beyond kMaxLogOdds (messages name list and position); if
// an option is out of range, or kAssignment does not apply. CANCELLED.
// Memory and time: see the README; near-linear in records and pairs in practice. Thread-safe.
[[nodiscard]] absl::StatusOr<Clustering> ClusterRecords(const ClusterInput& input, const ClusterOptions& options = {});

// Returns `existing` extended by new records, without looking at old pairs again.
//
// `input.sources` lists the old sources in the same order with at least as many records, then new ones; rows beyond
// those of `existing` are new. `input.pairs` holds scores with at least one new record; pairs of two old records are
// ignored and counted. `options` should be those of the earlier run.
//
// An existing entity is never split, and two existing entities are never merged. Apart from that it is ClusterRecords.
// For kAverageLinkage: exactly the same entities as from all pairs, with every existing entity as fixed pairs of a pass
// before all others, and its records apart from those of every other existing entity.
//
// Against ClusterRecords of all pairs without such constraints, the entities of a connected component (of all scored,
// fixed and apart pairs) are the same, but for these exceptions:
//   - kAverageLinkage: that run, in this component, does not merge each existing entity of several records completely
//     before it merges a new record with anything. Then the entity would be split, or joined in another order.
//   - kAverageLinkage: that run merges two existing entities, directly or by way of new records.
//   - kAssignment: a link that existed is not in the optimum over all pairs, which would assign again; or several
//     optima have the same sum.
//
// Fixed pairs that were refused before still count for the groups of their pass, so that a new record cannot join half
// of a contradictory group. Old records keep their entities and conflicts; an old pair that only now turns out to be
// part of a contradictory group stays merged and is not reported, the new pairs of that group are. Errors: as
// ClusterRecords; INVALID_ARGUMENT also if sources or rows are fewer than before, `existing` is not a clustering, or a
// pair of `apart` lies in one existing entity.
[[nodiscard]] absl::StatusOr<Clustering> ClusterInto(const Clustering& existing, const ClusterInput& input,
                                                     const ClusterOptions& options = {});

}  // namespace sluis::linker
